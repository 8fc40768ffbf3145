// SPDX-License-Identifier: Apache-2.0
#include "io/robot/cell/cell_config.h"

#include <cstdio>
#include <vector>

namespace nightshift::io::cell {
namespace {

struct Range {
  std::string_view key;
  double value, low, high;
};

core::Result<void> CheckRanges(const std::vector<Range>& ranges) {
  for (const Range& r : ranges) {
    if (r.value >= r.low && r.value <= r.high) continue;
    char text[256];
    std::snprintf(text, sizeof text, "cell: %.*s = %g: must be in [%g, %g]; correct it in the configuration",
                  static_cast<int>(r.key.size()), r.key.data(), r.value, r.low, r.high);
    return core::Fail(core::FaultCode::kInvalidConfig, text);
  }
  return {};
}

void AddDrives(const DriveConfig& d, std::vector<Range>& ranges) {
  for (int i = 0; i < kAxes; ++i) {
    const auto axis = static_cast<std::size_t>(i);
    ranges.push_back({"drives.stiffness_nm_rad", d.stiffness_nm_rad[axis], 0.1, 100});
    ranges.push_back({"drives.torque_limit_nm", d.torque_limit_nm[axis], 0.01, 10});
    ranges.push_back({"drives.torque_per_amp_nm", d.torque_per_amp_nm[axis], 0.01, 10});
  }
  ranges.insert(ranges.end(), {{"drives.hold_torque_fraction", d.hold_torque_fraction, 0, 1},
                               {"drives.relax_after_s", d.relax_after_s, 0, 3600},
                               {"drives.ambient_c", d.ambient_c, -20, 60},
                               {"drives.heating_c_per_a2", d.heating_c_per_a2, 0, 100},
                               {"drives.heating_tau_s", d.heating_tau_s, 1, 1e5},
                               {"drives.overheat_c", d.overheat_c, 40, 120},
                               {"drives.overheat_clear_c", d.overheat_clear_c, 30, d.overheat_c}});
}

void AddMess(const MessConfig& m, std::vector<Range>& ranges) {
  ranges.insert(ranges.end(), {{"mess.friction_min", m.friction_min, 0.05, 3},
                               {"mess.friction_max", m.friction_max, m.friction_min, 3},
                               {"mess.mass_kg_min", m.mass_kg_min, 0.002, 0.5},
                               {"mess.mass_kg_max", m.mass_kg_max, m.mass_kg_min, 0.5},
                               {"mess.redraw_every_s", m.redraw_every_s, 0, 1e6},
                               {"mess.wall_start_share", m.wall_start_share, 0, 1},
                               {"mess.glare_share", m.glare_share, 0, 1},
                               {"mess.pixel_noise", m.pixel_noise, 0, 64},
                               {"mess.brightness_variation", m.brightness_variation, 0, 0.5},
                               {"mess.grip_fade_after_s", m.grip_fade_after_s, 0, 1e6},
                               {"mess.grip_fade_tau_s", m.grip_fade_tau_s, 0.01, 1e6},
                               {"mess.grip_fade_floor", m.grip_fade_floor, 0, 1},
                               {"mess.camera_shift_m.x", m.camera_shift_m.x, -0.05, 0.05},
                               {"mess.camera_shift_m.y", m.camera_shift_m.y, -0.05, 0.05},
                               {"mess.camera_shift_m.z", m.camera_shift_m.z, -0.05, 0.05}});
  for (const double turn : m.camera_turn_rad) ranges.push_back({"mess.camera_turn_rad", turn, -0.1, 0.1});
  for (const double zero : m.joint_zero_rad) ranges.push_back({"mess.joint_zero_rad", zero, -0.1, 0.1});
}

MessConfig FullMess() {
  MessConfig mess;
  mess.friction_min = 0.4, mess.friction_max = 1.2;
  mess.mass_kg_min = 0.02, mess.mass_kg_max = 0.08;
  mess.redraw_every_s = 30;  // About every second attempt of practice.
  mess.wall_start_share = 0.25;
  mess.glare_share = 0.10;
  mess.pixel_noise = 2.0;
  mess.brightness_variation = 0.02;
  mess.grip_fade_after_s = 1.2;
  mess.grip_fade_tau_s = 0.8;
  mess.grip_fade_floor = 0.05;
  mess.joint_zero_rad = {-0.020, 0.012, -0.016, 0.015, -0.030, 0.0};
  mess.camera_shift_m = {0.003, 0.003, 0.003};
  mess.camera_turn_rad = {-0.004, 0.006, 0.05};
  return mess;
}

}  // namespace

core::Result<MessConfig> MessNamed(std::string_view name) {
  if (name == "clean") return MessConfig{};
  if (name == "full") return FullMess();
  return core::Fail(core::FaultCode::kInvalidConfig,
                    "cell.mess = \"" + std::string(name) + "\": must be \"clean\" or \"full\"");
}

core::Result<void> Validate(const CellConfig& config) {
  if (config.model_file.empty())
    return core::Fail(core::FaultCode::kInvalidConfig,
                      "cell: model_file is empty: must name an MJCF file, as configs/cell/tabletop.xml");
  std::vector<Range> ranges{{"silence_ms", config.silence_ms, 20, 60000},
                            {"save_every_s", config.save_every_s, 0.1, 60}};
  AddDrives(config.drives, ranges);
  AddMess(config.mess, ranges);
  return CheckRanges(ranges);
}

}  // namespace nightshift::io::cell
