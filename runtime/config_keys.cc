// SPDX-License-Identifier: Apache-2.0
// Every key of a configuration file, one line each: name, place, allowed range. What a key is for and why its default
// is what it is stands beside the field in the folder's config.h.
#include "runtime/config_keys.h"

#include "runtime/config.h"
#include "safety/monitor.h"

namespace nightshift::runtime {
namespace {

constexpr Range kLengthM{0, 2};
constexpr Range kAngleRad{-3.1416, 3.1416};
constexpr Range kShare{0, 1};
constexpr Range kPlaceM{-2, 2};
constexpr double kMany = 1e9;

void LookKeys(io::ObjectLook& look, KeyList& keys) {
  keys.Text("name", look.name);
  keys.Number("hue_deg_min", look.hue_deg_min, {0, 360});
  keys.Number("hue_deg_max", look.hue_deg_max, {0, 360});
  keys.Number("saturation_min", look.saturation_min, kShare);
  keys.Number("value_min", look.value_min, kShare);
  keys.Number("half_m", look.half_m, {0.002, 0.1});
}

void PerceptionKeys(io::PerceptionConfig& c, KeyList& keys) {
  keys.In("").Choice("perception", c.source,
                     {{"camera", io::PerceptionSource::kCamera}, {"ground_truth", io::PerceptionSource::kGroundTruth}});
  keys.Tables("objects", c.objects, LookKeys);
  keys.In("camera");
  keys.Number("width_px", c.camera.width_px, {16, 4096});
  keys.Number("height_px", c.camera.height_px, {16, 4096});
  keys.Number("field_of_view_rad", c.camera.field_of_view_rad, {0.1, 2.8});
  keys.Point("position_m", c.camera.position_m, {-5, 5});
  keys.Point("right", c.camera.right, {-1, 1});
  keys.Point("up", c.camera.up, {-1, 1});
  keys.Number("area_px_min", c.area_px_min, {1, 10000});
  keys.Number("jaw_closed_command_rad_max", c.jaw_closed_command_rad_max, kAngleRad);
  keys.Number("jaw_still_rad_s_max", c.jaw_still_rad_s_max, {0.01, 20});
  keys.Number("lifted_tip_m_min", c.lifted_tip_m_min, {0, 1});
  keys.Number("lifted_ray_m_max", c.lifted_ray_m_max, {0, 0.2});
  keys.Number("blind_brightness_max", c.blind_brightness_max, kShare);
  keys.Number("blind_contrast_max", c.blind_contrast_max, kShare);
  keys.Number("frozen_frames_min", c.frozen_frames_min, {2, 1000});
  keys.Number("frozen_travel_m_min", c.frozen_travel_m_min, {0.001, 1});
  keys.Number("frame_wait_s", c.frame_wait_s, {0.01, 10});
}

void DriveKeys(io::cell::DriveConfig& c, KeyList& keys) {
  keys.In("cell.drives");
  keys.Numbers("stiffness_nm_rad", c.stiffness_nm_rad, {0, 200});
  keys.Numbers("torque_limit_nm", c.torque_limit_nm, {0, 10});
  keys.Numbers("torque_per_amp_nm", c.torque_per_amp_nm, {0.01, 10});
  keys.Number("hold_torque_fraction", c.hold_torque_fraction, kShare);
  keys.Number("relax_after_s", c.relax_after_s, {0, 3600});
  keys.Number("ambient_c", c.ambient_c, {-20, 50});
  keys.Number("heating_c_per_a2", c.heating_c_per_a2, {0, 1000});
  keys.Number("heating_tau_s", c.heating_tau_s, {1, 10000});
  keys.Number("overheat_c", c.overheat_c, {30, 150});
  keys.Number("overheat_clear_c", c.overheat_clear_c, {20, 150});
}

void MessKeys(io::cell::CellConfig& cell, KeyList& keys) {
  io::cell::MessConfig& c = cell.mess;
  keys.In("cell").Custom("mess", [&cell](const ConfigValue& value) -> Refused {
    const auto* name = std::get_if<std::string>(&value);
    if (!name) return "must be the name of a mess in quotation marks";
    auto mess = io::cell::MessNamed(*name);
    if (!mess) return mess.error().detail;
    cell.mess = *mess;
    cell.mess_name = *name;
    return std::nullopt;
  });
  keys.In("cell.changed_mess");  // Changes to the named one: comes after it.
  keys.Number("friction_min", c.friction_min, {0.05, 5});
  keys.Number("friction_max", c.friction_max, {0.05, 5});
  keys.Number("mass_kg_min", c.mass_kg_min, {0.001, 1});
  keys.Number("mass_kg_max", c.mass_kg_max, {0.001, 1});
  keys.Number("redraw_every_s", c.redraw_every_s, {0, 1e6});
  keys.Number("wall_start_share", c.wall_start_share, kShare);
  keys.Number("glare_share", c.glare_share, kShare);
  keys.Number("pixel_noise", c.pixel_noise, {0, 128});
  keys.Number("brightness_variation", c.brightness_variation, kShare);
  keys.Number("grip_fade_after_s", c.grip_fade_after_s, {0, 3600});
  keys.Number("grip_fade_tau_s", c.grip_fade_tau_s, {0.01, 3600});
  keys.Number("grip_fade_floor", c.grip_fade_floor, kShare);
  keys.Numbers("joint_zero_rad", c.joint_zero_rad, {-0.2, 0.2});
  keys.Point("camera_shift_m", c.camera_shift_m, {-0.1, 0.1});
  keys.Numbers("camera_turn_rad", c.camera_turn_rad, {-0.2, 0.2});
}

void CellKeys(io::cell::CellConfig& c, KeyList& keys) {
  keys.In("cell");
  keys.Text("model_file", c.model_file);
  keys.Number("seed", c.seed, {0, kMany});
  keys.Number("silence_ms", c.silence_ms, {10, 60000});
  keys.Number("save_every_s", c.save_every_s, {0.004, 3600});
  MessKeys(c, keys);
  DriveKeys(c.drives, keys);
}

void ZoneKeys(const std::string& section, skills::Zone& zone, KeyList& keys) {
  keys.In(section);
  keys.Number("x_m_min", zone.x_min_m, kPlaceM);
  keys.Number("x_m_max", zone.x_max_m, kPlaceM);
  keys.Number("y_m_min", zone.y_min_m, kPlaceM);
  keys.Number("y_m_max", zone.y_max_m, kPlaceM);
}

void SceneKeys(skills::Scene& c, KeyList& keys) {
  keys.In("scene.arm");
  keys.Number("base_height_m", c.arm.base_height_m, kLengthM);
  keys.Number("shoulder_offset_m", c.arm.shoulder_offset_m, kLengthM);
  keys.Number("upper_arm_m", c.arm.upper_arm_m, {0.01, 2});
  keys.Number("forearm_m", c.arm.forearm_m, {0.01, 2});
  keys.Number("hand_m", c.arm.hand_m, kLengthM);
  keys.Number("grasp_offset_m", c.arm.grasp_offset_m, {-0.2, 0.2});
  ZoneKeys("scene.tray", c.tray, keys);
  ZoneKeys("scene.bin", c.bin, keys);
  keys.In("scene");
  keys.Number("wall_tolerance_m", c.wall_tolerance_m, {0, 0.012});
  keys.Number("object_half_m", c.object_half_m, {0.002, 0.1});
  keys.Number("reach_m_min", c.reach_min_m, kLengthM);
  keys.Number("reach_m_max", c.reach_max_m, kLengthM);
  keys.Number("carry_height_m", c.carry_height_m, {0.01, 1});
  keys.Number("jaw_open_rad", c.jaw_open_rad, kAngleRad);
  keys.Number("jaw_closed_rad", c.jaw_closed_rad, kAngleRad);
  keys.Number("jaw_empty_rad", c.jaw_empty_rad, kAngleRad);
  keys.Number("jaw_wide_rad", c.jaw_wide_rad, kAngleRad);
  keys.Number("step_m_max", c.step_m_max, {0.001, 0.1});
  keys.Number("command_lead_m_max", c.command_lead_m_max, {0.001, 0.2});
  keys.Point("home_m", c.home_m, kPlaceM);
}

void AxesKey(const std::string& name, core::AxisArray& into, Range range, KeyList& keys) {
  keys.Numbers(name, std::span<double>(into).first(core::kArmAxes), range);
}

void BoxKeys(safety::BoxObstacle& c, KeyList& keys) {
  keys.Text("name", c.name);
  keys.Point("centre_m", c.centre_m, kPlaceM);
  keys.Point("half_m", c.half_m, {0.0005, 2});
  keys.Number("turn_rad", c.turn_rad, {-3.1416, 3.1416});
  keys.Number("tilt_rad", c.tilt_rad, {-1.5708, 1.5708});
  keys.Truth("fingers_may_touch", c.fingers_may_touch);
}

void PostKeys(safety::PostObstacle& c, KeyList& keys) {
  keys.Text("name", c.name);
  keys.Point("from_m", c.from_m, kPlaceM);
  keys.Point("to_m", c.to_m, kPlaceM);
  keys.Number("radius_m", c.radius_m, {0.0005, 1});
  keys.Truth("fingers_may_touch", c.fingers_may_touch);
}

void PresenceKeys(safety::PresenceConfig& c, KeyList& keys) {
  keys.In("safety.presence");
  keys.Choice("source", c.source,
              {{"none", safety::PresenceSource::kNone},
               {"topic", safety::PresenceSource::kTopic},
               {"gpio", safety::PresenceSource::kGpio}});
  keys.Text("value_file", c.value_file);
  keys.Truth("active_low", c.active_low);
  keys.Number("poll_s", c.poll_s, {0.001, 1});
  keys.Number("switch_distance_m", c.switch_distance_m, {0, 100});
  keys.Number("report_every_s", c.report_every_s, {0.001, 2});
  keys.Number("age_s_max", c.age_s_max, {0.004, 2});
  keys.Number("sensor_delay_s", c.sensor_delay_s, {0, 2});
  keys.Number("person_speed_m_s", c.person_speed_m_s, {0, 10});
  keys.Number("arm_lag_s", c.arm_lag_s, {0, 1});
  keys.Number("intrusion_m", c.intrusion_m, {0, 2});
  keys.Number("sensor_error_m", c.sensor_error_m, {0, 100});
  keys.Number("arm_error_m", c.arm_error_m, {0, 1});
  keys.Number("speed_scale_min", c.speed_scale_min, kShare);
  keys.Number("rise_s", c.rise_s, {0, 60});
  keys.Number("clear_margin_m", c.clear_margin_m, {0, 100});
  keys.Number("clear_s", c.clear_s, {0, 3600});
}

void MassKeys(safety::MassPart& c, KeyList& keys) {
  keys.Text("name", c.name);
  keys.Choice("moved_by", c.moved_by,
              {{"pan", core::kPan},
               {"lift", core::kLift},
               {"elbow", core::kElbow},
               {"wrist", core::kWrist},
               {"roll", core::kRoll},
               {"jaw", core::kJaw}});
  keys.Number("mass_kg", c.mass_kg, {0, 20});
  keys.Point("centre_m", c.centre_m, kPlaceM);
  keys.Point("inertia_kg_m2", c.inertia_kg_m2, {0, 10});
}

void ContactZoneKeys(safety::ContactZone& c, KeyList& keys) {
  keys.Text("name", c.name);
  keys.Point("min_m", c.min_m, kPlaceM);
  keys.Point("max_m", c.max_m, kPlaceM);
}

void TorqueKeys(safety::Limits& c, KeyList& keys) {
  keys.Tables("masses", c.masses, MassKeys);
  AxesKey("rotor_kg_m2", c.rotor_kg_m2, {0, 10}, keys);
  AxesKey("viscous_nm_s_rad", c.viscous_nm_s_rad, {0, 100}, keys);
  AxesKey("coulomb_nm", c.coulomb_nm, {0, 20}, keys);
  AxesKey("torque_nm_max", c.torque_nm_max, {0, 100}, keys);
  keys.Number("grip_torque_nm_max", c.grip_torque_nm_max, {0, 20});
  keys.Number("payload_kg_max", c.payload_kg_max, {0, 20});
  keys.Tables("contact_zones", c.contact_zones, ContactZoneKeys);
  AxesKey("contact_nm_max", c.contact_nm_max, {0, 100}, keys);
  AxesKey("contact_nm_s_rad", c.contact_nm_s_rad, {0, 100}, keys);
  keys.Time("contact_time_constant_s", c.contact_time_constant, {0, 0.5});
  keys.Number("contact_force_n_max", c.contact_force_n_max, {0, 1000});
}

void BudgetKeys(safety::Limits& c, KeyList& keys) {
  AxesKey("current_a_continuous", c.current_a_continuous, {0, 30}, keys);
  keys.Number("current_tau_s", c.current_tau_s, {1, 3600});
  keys.Number("current_clear_share", c.current_clear_share, kShare);
  AxesKey("wear_starts_per_day_max", c.wear_starts_per_day_max, {0, kMany}, keys);
  AxesKey("wear_travel_rad_per_day_max", c.wear_travel_rad_per_day_max, {0, kMany}, keys);
  AxesKey("wear_impacts_per_day_max", c.wear_impacts_per_day_max, {0, kMany}, keys);
  AxesKey("impact_rad_s", c.impact_rad_s, {0, 20}, keys);
  keys.Number("wear_clear_share", c.wear_clear_share, kShare);
}

void SafetyKeys(safety::Limits& c, KeyList& keys) {
  keys.In("safety");
  AxesKey("q_rad_min", c.q_rad_min, {-6.3, 6.3}, keys);
  AxesKey("q_rad_max", c.q_rad_max, {-6.3, 6.3}, keys);
  AxesKey("speed_rad_s_max", c.speed_rad_s_max, {0, 20}, keys);
  AxesKey("acceleration_rad_s2_max", c.acceleration_rad_s2_max, {0, 500}, keys);
  AxesKey("jerk_rad_s3_max", c.jerk_rad_s3_max, {0, 100'000}, keys);
  keys.Number("passing_speed_rad_s", c.passing_speed_rad_s, {0, 20});
  keys.Number("escape_speed_rad_s_max", c.escape_speed_rad_s_max, {0, 1});
  keys.Point("workspace_m_min", c.workspace_m_min, kPlaceM);
  keys.Point("workspace_m_max", c.workspace_m_max, kPlaceM);
  keys.Tables("boxes", c.boxes, BoxKeys);
  keys.Tables("posts", c.posts, PostKeys);
  keys.Number("clearance_m", c.clearance_m, {0, 0.05});
  keys.Number("clearance_looks_max", c.clearance_looks_max, {10, 1000});
  keys.Number("risk_scale_min", c.risk_scale_min, kShare);
  AxesKey("tracking_error_rad_max", c.tracking_error_rad_max, {0, 6.3}, keys);
  AxesKey("stall_free_nm_rad", c.stall_free_nm_rad, {0, 20}, keys);
  AxesKey("stall_nm_rad_s_max", c.stall_nm_rad_s_max, {0, 20}, keys);
  keys.Number("astray_free_rad", c.astray_free_rad, {0, 6.3});
  keys.Number("servo_lag_s", c.servo_lag_s, {0, 1});
  keys.Number("astray_rad_s_max", c.astray_rad_s_max, {0, 6.3});
  TorqueKeys(c, keys);
  keys.Number("temperature_c_min", c.temperature_c_min, {-20, 40});
  keys.Number("temperature_c_max", c.temperature_c_max, {0, 90});
  keys.Number("temperature_c_clear", c.temperature_c_clear, {0, 90});
  BudgetKeys(c, keys);
  keys.Time("control_period_s", c.control_period, {0.001, 0.01});
  keys.Time("policy_period_s", c.policy_period, {0.01, 1});
  keys.Time("command_deadline_s_max", c.command_deadline_max, {0.01, 3});
  keys.Time("peer_wait_s_max", c.peer_wait_max, {0.001, 10});
  keys.Time("drive_timeout_s", c.drive_timeout, {0.02, 1});
  keys.Time("overrun_s_max", c.overrun_max, {0.001, 0.2});
  keys.Time("reading_age_s_max", c.reading_age_max, {0.001, 1});
  keys.Number("blind_ticks_max", c.blind_ticks_max, {1, 100});
  keys.Number("reading_speed_rad_s_max", c.reading_speed_rad_s_max, {0, 1000});
  keys.Number("reading_jump_rad_max", c.reading_jump_rad_max, {0, 6.3});
  keys.Number("power_up_ticks_max", c.power_up_ticks_max, {1, 10000});
  AxesKey("reseed_error_rad_max", c.reseed_error_rad_max, {0, 6.3}, keys);
  keys.Number("rest_speed_rad_s_max", c.rest_speed_rad_s_max, {0, 1});
  keys.Number("clears_per_hour_max", c.clears_per_hour_max, {1, safety::kClearsPerHourMax});
  keys.Number("inspection_speed_share", c.inspection_speed_share, {0, 1});
  keys.Number("inspection_travel_rad", c.inspection_travel_rad, {0, 6.3});
  AxesKey("inspection_error_rad_max", c.inspection_error_rad_max, {0, 6.3}, keys);
  keys.Number("inspections_failed_max", c.inspections_failed_max, {1, 100});
  keys.Truth("arm_after_reboot", c.arm_after_reboot);
}

void AgentKeys(learner::AgentConfig& c, KeyList& keys) {
  keys.In("learner.agent");
  keys.Number("width", c.width, {8, 1024});
  keys.Number("critics", c.critics, {1, 10});
  keys.Number("critics_asked", c.critics_asked, {1, 10});
  keys.Number("batch", c.batch, {16, 4096});
  keys.Number("demonstration_share", c.demonstration_share, kShare);
  keys.Number("demonstrations_start", c.demonstrations_start, {0, 10000});
  keys.Number("samples_start", c.samples_start, {0, kMany});
  keys.Number("discount", c.discount, {0, 0.9999});
  keys.Number("n_step", c.n_step, {1, 20});
  keys.Number("target_rate", c.target_rate, {1e-5, 1});
  keys.Number("learning_rate", c.learning_rate, {1e-7, 0.1});
  keys.Number("temperature_learning_rate", c.temperature_learning_rate, {0, 0.1});
  keys.Number("gradient_norm_max", c.gradient_norm_max, {1e-3, 1e6});
  keys.Number("value_min", c.value_min, {-1000, 1000});
  keys.Number("value_max", c.value_max, {-1000, 1000});
  keys.Number("temperature_start", c.temperature_start, {1e-6, 10});
  keys.Number("temperature_min", c.temperature_min, {1e-9, 10});
  keys.Number("temperature_max", c.temperature_max, {1e-9, 10});
  keys.Number("target_entropy", c.target_entropy, {-50, 50});
  keys.Number("log_std_start", c.log_std_start, {-5, 2});
  keys.Number("actor_every", c.actor_every, {1, 100});
  keys.Choice("actor_opinion", c.actor_opinion,
              {{"mean", learner::CriticOpinion::kMean}, {"minimum", learner::CriticOpinion::kMinimum}});
  keys.Number("deployed_rate", c.deployed_rate, {1e-6, 1});
  keys.Number("clone_updates", c.clone_updates, {0, kMany});
  keys.Number("offline_updates", c.offline_updates, {0, kMany});
  keys.Number("actor_frozen_updates", c.actor_frozen_updates, {0, kMany});
  keys.Number("clone_weight", c.clone_weight, {0, 1000});
  keys.Number("clone_fade_updates", c.clone_fade_updates, {0, kMany});
  keys.Choice("cloned", c.cloned, {{"all", learner::Cloned::kAll}, {"preferred", learner::Cloned::kPreferred}});
  keys.Number("clone_action_max", c.clone_action_max, {0.1, 0.999});
  keys.Number("success_reward", c.success_reward, {0, 1000});
  keys.Number("toggle_cost", c.toggle_cost, {0, 10});
  keys.Number("step_cost", c.step_cost, {0, 10});
  keys.Number("surprise_weight", c.surprise_weight, {0, 1});
  keys.Choice("surprise_memory", c.surprise_memory,
              {{"episode", learner::SurpriseMemory::kEpisode}, {"life", learner::SurpriseMemory::kLife}});
  keys.Number("samples_max", c.samples_max, {1000, 1e8});
  keys.Number("demonstrations_max", c.demonstrations_max, {100, 1e8});
}

void RiskKeys(learner::RiskConfig& c, KeyList& keys) {
  keys.In("learner.risk");
  keys.Number("horizon_steps", c.horizon_steps, {1, 100});
  keys.Number("near_miss_strain", c.near_miss_strain, {0.1, 1});
  keys.Number("width", c.width, {4, 256});
  keys.Number("batch", c.batch, {2, 4096});
  keys.Number("near_miss_share", c.near_miss_share, {0.01, 0.99});
  keys.Number("learning_rate", c.learning_rate, {1e-7, 0.1});
  keys.Number("weight_decay", c.weight_decay, {0, 10});
  keys.Number("update_ratio", c.update_ratio, {0, 4});
  keys.Number("ordinary_max", c.ordinary_max, {1000, 1e6});
  keys.Number("near_max", c.near_max, {100, 1e6});
  keys.Number("held_out_max", c.held_out_max, {1000, 1e6});
  keys.Number("publish_every", c.publish_every, {10, kMany});
  keys.In("learner.risk.evidence");
  keys.Number("near_misses_min", c.evidence.near_misses_min, {10, kMany});
  keys.Number("auc_low_min", c.evidence.auc_low_min, {0.5, 1});
  keys.Number("overstated_max", c.evidence.overstated_max, {1, 100});
  keys.Number("sureness", c.evidence.sureness, {0.5, 10});
  keys.Number("trial_episodes", c.evidence.trial_episodes, {10, kMany});
}

void LearnerKeys(learner::Config& c, KeyList& keys) {
  keys.In("learner");
  keys.Number("update_ratio", c.update_ratio, {0.01, 64});
  keys.Number("scripted_demonstrations_max", c.scripted_demonstrations_max, {0, 100000});
  keys.Number("learned_demonstrations_max", c.learned_demonstrations_max, {0, 100000});
  keys.Choice("relabelling", c.relabelling,
              {{"off", learner::Relabelling::kOff},
               {"successes", learner::Relabelling::kSuccesses},
               {"all", learner::Relabelling::kAll}});
  keys.Number("borrowed_steps", c.borrowed_steps, {0, 1e9});
  keys.Number("held_out_every", c.held_out_every, {0, kMany});
  keys.Number("healthy_every", c.healthy_every, {1, kMany});
  keys.Number("publish_every", c.publish_every, {1, kMany});
  keys.Number("snapshots_kept", c.snapshots_kept, {2, 100000});
  keys.Number("save_every", c.save_every, {1, kMany});
  keys.Number("episodes_per_read", c.episodes_per_read, {1, 10000});
  keys.Number("status_period_s", c.status_period_s, {0.05, 60});
  keys.Number("seed", c.seed, {0, kMany});
  keys.Number("threads", c.threads, {1, 10});
  keys.Choice("precision", c.precision, {{"fp32", learner::Precision::kFp32}, {"bf16", learner::Precision::kBf16}});
  keys.Choice("risk_critic", c.risk_critic, {{"off", learner::RiskAdvice::kOff}, {"auto", learner::RiskAdvice::kAuto}});
  AgentKeys(c.agent, keys);
  RiskKeys(c.risk, keys);
  OfflineKeys(c.offline, keys);
}

void PracticeKeys(PracticeConfig& c, KeyList& keys) {
  keys.In("practice");
  keys.Number("demonstrations_wanted", c.demonstrations_wanted, {0, 10000});
  keys.Number("recovery_demonstrations_wanted", c.recovery_demonstrations_wanted, {0, 10000});
  keys.Number("borrowed_belief_attempts", c.borrowed_belief_attempts, {0, 1000});
  keys.Number("scripted_share", c.scripted_share, kShare);
  keys.Number("scripted_retry_share", c.scripted_retry_share, kShare);
  keys.Number("learned_share_min", c.learned_share_min, kShare);
  keys.Number("mean_action_share", c.mean_action_share, kShare);
  keys.Number("wall_share", c.wall_share, kShare);
  keys.Number("judged_after_attempts", c.judged_after_attempts, {1, 10000});
  keys.Number("recovery_judged_after_attempts", c.recovery_judged_after_attempts, {1, 10000});
  keys.Number("promotion_margin", c.promotion_margin, kShare);
  keys.Number("regression", c.regression, {0.05, 0.9});
  keys.Number("judging_alpha", c.judging_alpha, {1e-4, 0.4});
  keys.Number("judging_beta", c.judging_beta, {1e-4, 0.4});
  keys.Number("rollback_alpha", c.rollback_alpha, {1e-6, 0.2});
  keys.Number("forgetting", c.forgetting, kShare);
  keys.Number("settle_periods", c.settle_periods, {0, 1000});
  keys.Number("retries_without_recovery", c.retries_without_recovery, {0, 1000});
  keys.Truth("recovery", c.recovery);
  keys.Number("person_answers_after_s", c.person_answers_after_s, {0, 86400});
  keys.Number("backlog_updates_max", c.backlog_updates_max, {0, kMany});
  keys.Number("backlog_wait_s_max", c.backlog_wait_s_max, {0, 3600});
  keys.In("practice.plan");
  keys.Number("failures_for_a_task", c.plan.failures_for_a_task, {1, 1000});
  keys.Number("attempts_before_going_on", c.plan.attempts_before_going_on, {0, 1000});
  keys.Number("attempts_max", c.plan.attempts_max, {1, 1000});
  keys.Number("looks_max", c.plan.looks_max, {1, 1000});
  keys.Number("fruitless_max", c.plan.fruitless_max, {1, 100000});
}

void TaskKeys(core::TaskSpec& task, KeyList& keys) {
  keys.Text("name", task.name);
  keys.Text("start", task.start);
  keys.Text("success", task.success);
  keys.Text("failure", task.failure);
  keys.Time("time_limit_s", task.time_limit, {0.2, 600});
  keys.Time("success_hold_s", task.success_hold, {0, 10});
  keys.Time("failure_hold_s", task.failure_hold, {0, 10});
  keys.Choice(
      "goal", task.goal,
      {{"none", core::GoalKind::kNone}, {"bin", core::GoalKind::kBin}, {"tray_spot", core::GoalKind::kTraySpot}});
  keys.Text("script", task.script);
  keys.Text("inherits_from", task.inherits_from);
}

}  // namespace

KeyList KeysOf(Config& c) {
  KeyList keys;
  keys.Choice("robot", c.robot, {{"cell", RobotKind::kCell}});
  PerceptionKeys(c.perception, keys);
  CellKeys(c.cell, keys);
  SceneKeys(c.scene, keys);
  SafetyKeys(c.safety, keys);
  keys.Number("cpu", c.real_time.cpu, {-1, 1023});
  PresenceKeys(c.safety.presence, keys);
  LearnerKeys(c.learner, keys);
  PracticeKeys(c.practice, keys);
  keys.In("metrics").Text("listen", c.metrics.listen);
  keys.In("").Tables("tasks", c.tasks, TaskKeys);
  return keys;
}

}  // namespace nightshift::runtime
