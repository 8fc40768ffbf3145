// SPDX-License-Identifier: Apache-2.0
#include "io/wire/convert.h"

#include <cmath>
#include <limits>

#include "io/wire/nightshift.pb.h"
#include "io/wire/parse.h"

namespace nightshift::io {
namespace {

using core::AxisArray;
using core::Fail;
using core::Fault;
using core::FaultCode;
using core::Result;
using RepeatedDouble = google::protobuf::RepeatedField<double>;
using RepeatedFloat = google::protobuf::RepeatedField<float>;

constexpr auto kFaultLast = FaultCode::kAlreadyRunning;

tl::unexpected<Fault> WrongSize(const char* field, int seen, int allowed) {
  return Fail(FaultCode::kMalformedMessage, std::string(field) + " has " + std::to_string(seen) + " values: " +
                                                std::to_string(allowed) + " belong there; the message is dropped");
}

tl::unexpected<Fault> NotFinite(const char* field) {
  return Fail(FaultCode::kNotFinite, std::string(field) + " holds a number that is not finite; the message is dropped");
}

void EncodeAxes(const AxisArray& in, int axes, RepeatedDouble* out) {
  out->Clear();
  out->Reserve(axes);
  for (int i = 0; i < axes; ++i) out->Add(in[static_cast<std::size_t>(i)]);
}

Result<void> DecodeAxes(const char* field, const RepeatedDouble& in, int axes, AxisArray* out) {
  if (in.size() != axes) return WrongSize(field, in.size(), axes);
  for (int i = 0; i < axes; ++i) {
    if (!std::isfinite(in.Get(i))) return NotFinite(field);
    (*out)[static_cast<std::size_t>(i)] = in.Get(i);
  }
  return {};
}

void EncodeAction(const core::PolicyAction& in, RepeatedFloat* out) { out->Assign(in.begin(), in.end()); }

Result<void> DecodeAction(const char* field, const RepeatedFloat& in, core::PolicyAction* out) {
  if (in.size() != core::kActionSize) return WrongSize(field, in.size(), core::kActionSize);
  for (int i = 0; i < in.size(); ++i) {
    if (!std::isfinite(in.Get(i))) return NotFinite(field);
    (*out)[static_cast<std::size_t>(i)] = in.Get(i);
  }
  return {};
}

/// `last` is the enum's last value; the enums of core count up from zero without gaps.
template <typename Enum>
Result<void> DecodeEnum(const char* field, std::uint32_t in, Enum last, Enum* out) {
  if (in > static_cast<std::uint32_t>(last))
    return Fail(FaultCode::kMalformedMessage, std::string(field) + " = " + std::to_string(in) + ": must be in [0, " +
                                                  std::to_string(static_cast<std::uint32_t>(last)) + "]");
  *out = static_cast<Enum>(in);
  return {};
}

template <typename Enum>
std::uint32_t EncodeEnum(Enum in) {
  return static_cast<std::uint32_t>(in);
}

Result<void> DecodeInto(const char* field, const wire::Vec3& in, core::Vec3* out) {
  *out = {in.x(), in.y(), in.z()};
  if (!core::IsFinite(*out)) return NotFinite(field);
  return {};
}

/// Takes the value, or passes the first fault of a row of decodings on.
template <typename T>
Result<void> Take(Result<T> from, T* into) {
  if (!from) return tl::make_unexpected(from.error());
  *into = std::move(*from);
  return {};
}

/// Runs decodings in order until one fails.
template <typename... Steps>
Result<void> InOrder(Steps&&... steps) {
  Result<void> so_far;
  static_cast<void>(((so_far = steps(), so_far.has_value()) && ...));
  return so_far;
}

Result<void> DecodeObjects(const wire::Observation& in, core::Observation* out) {
  if (in.objects_size() > core::kObjectsMax)
    return Fail(FaultCode::kMalformedMessage, "objects has " + std::to_string(in.objects_size()) +
                                                  " entries: at most " + std::to_string(core::kObjectsMax));
  out->object_count = in.objects_size();
  for (int i = 0; i < in.objects_size(); ++i) {
    const wire::TrackedObject& seen = in.objects(i);
    core::TrackedObject& object = out->objects[static_cast<std::size_t>(i)];
    if (auto fine = DecodeInto("objects.position_m", seen.position_m(), &object.position_m); !fine) return fine;
    if (!std::isfinite(seen.confidence())) return NotFinite("objects.confidence");
    object.confidence = seen.confidence();
    object.age = core::Duration(seen.age_ns());
  }
  return {};
}

/// By name: causes are ordered by how bad they are, and their numbers change when one is added.
Result<void> DecodeStop(const std::string& name, core::StopCause* out) {
  if (name.empty()) return {};
  for (const core::StopCause cause : core::kStopCauses)
    if (core::Name(cause) == name) {
      *out = cause;
      return {};
    }
  return Fail(FaultCode::kMalformedMessage, "stop = \"" + name + "\": no such cause; is the sender a later version?");
}

}  // namespace

void Encode(const core::Vec3& in, wire::Vec3* out) {
  out->set_x(in.x);
  out->set_y(in.y);
  out->set_z(in.z);
}

Result<core::Vec3> Decode(const wire::Vec3& in) {
  core::Vec3 out;
  if (auto fine = DecodeInto("position", in, &out); !fine) return tl::make_unexpected(fine.error());
  return out;
}

void Encode(const core::JointState& in, wire::JointState* out) {
  out->set_time_ns(core::ToNanoseconds(in.time));
  out->set_sequence(in.sequence);
  EncodeAxes(in.q_rad, in.axes, out->mutable_q_rad());
  EncodeAxes(in.dq_rad_s, in.axes, out->mutable_dq_rad_s());
  EncodeAxes(in.torque_nm, in.axes, out->mutable_torque_nm());
  EncodeAxes(in.current_a, in.axes, out->mutable_current_a());
  EncodeAxes(in.temperature_c, in.axes, out->mutable_temperature_c());
  out->set_powered(in.powered);
}

Result<core::JointState> Decode(const wire::JointState& in) {
  core::JointState out;
  out.time = core::FromNanoseconds(in.time_ns());
  out.sequence = in.sequence();
  out.axes = in.q_rad_size();
  out.powered = in.powered();
  if (out.axes > core::kAxesMax) return WrongSize("q_rad", out.axes, core::kAxesMax);
  const auto fine =
      InOrder([&] { return DecodeAxes("q_rad", in.q_rad(), out.axes, &out.q_rad); },
              [&] { return DecodeAxes("dq_rad_s", in.dq_rad_s(), out.axes, &out.dq_rad_s); },
              [&] { return DecodeAxes("torque_nm", in.torque_nm(), out.axes, &out.torque_nm); },
              [&] { return DecodeAxes("current_a", in.current_a(), out.axes, &out.current_a); },
              [&] { return DecodeAxes("temperature_c", in.temperature_c(), out.axes, &out.temperature_c); });
  if (!fine) return tl::make_unexpected(fine.error());
  return out;
}

void Encode(const core::Observation& in, wire::Observation* out) {
  out->set_time_ns(core::ToNanoseconds(in.time));
  Encode(in.joints, out->mutable_joints());
  Encode(in.tip_m, out->mutable_tip_m());
  Encode(in.commanded_tip_m, out->mutable_commanded_tip_m());
  out->set_jaw_rad(in.jaw_rad);
  out->set_jaw_command_rad(in.jaw_command_rad);
  out->set_jaw_torque_nm(in.jaw_torque_nm);
  out->set_frame_health(EncodeEnum(in.frame));
  out->set_frame_age_ns(in.frame_age.count());
  out->clear_objects();
  for (const core::TrackedObject& object : in.tracked()) {
    wire::TrackedObject* added = out->add_objects();
    Encode(object.position_m, added->mutable_position_m());
    added->set_confidence(object.confidence);
    added->set_age_ns(object.age.count());
  }
}

Result<core::Observation> Decode(const wire::Observation& in) {
  core::Observation out;
  out.time = core::FromNanoseconds(in.time_ns());
  out.jaw_rad = in.jaw_rad();
  out.jaw_command_rad = in.jaw_command_rad();
  out.jaw_torque_nm = in.jaw_torque_nm();
  out.frame_age = core::Duration(in.frame_age_ns());
  if (!std::isfinite(out.jaw_rad + out.jaw_command_rad + out.jaw_torque_nm)) return NotFinite("jaw");
  const auto fine =
      InOrder([&] { return Take(Decode(in.joints()), &out.joints); },
              [&] { return DecodeInto("tip_m", in.tip_m(), &out.tip_m); },
              [&] { return DecodeInto("commanded_tip_m", in.commanded_tip_m(), &out.commanded_tip_m); },
              [&] { return DecodeEnum("frame_health", in.frame_health(), core::FrameHealth::kFrozen, &out.frame); },
              [&] { return DecodeObjects(in, &out); });
  if (!fine) return tl::make_unexpected(fine.error());
  return out;
}

void Encode(const core::Transition& in, wire::Transition* out) {
  Encode(in.before, out->mutable_before());
  EncodeAction(in.proposed, out->mutable_proposed());
  EncodeAction(in.applied, out->mutable_applied());
  out->set_verdict(EncodeEnum(in.verdict));
  out->set_limit(EncodeEnum(in.limit));
  out->set_reward(in.reward);
  Encode(in.after, out->mutable_after());
  out->set_ended(EncodeEnum(in.ended));
  out->clear_risk_scale();
  if (in.risk_scale) out->set_risk_scale(*in.risk_scale);
  out->set_strain(in.strain);
  out->set_stop(in.stop == core::StopCause::kNone ? std::string() : std::string(core::Name(in.stop)));
}

Result<core::Transition> Decode(const wire::Transition& in) {
  core::Transition out;
  if (!in.has_before() || !in.has_after())
    return Fail(FaultCode::kMalformedMessage,
                "transition without the observation before or after it; it was cut short");
  out.reward = in.reward();
  if (!std::isfinite(out.reward)) return NotFinite("reward");
  if (in.has_risk_scale()) out.risk_scale = in.risk_scale();
  out.strain = in.strain();
  if (!std::isfinite(out.strain + out.risk_scale.value_or(0))) return NotFinite("risk_scale, strain");
  const auto fine = InOrder([&] { return Take(Decode(in.before()), &out.before); },
                            [&] { return DecodeAction("proposed", in.proposed(), &out.proposed); },
                            [&] { return DecodeAction("applied", in.applied(), &out.applied); },
                            [&] { return DecodeEnum("verdict", in.verdict(), core::Verdict::kStopped, &out.verdict); },
                            [&] { return DecodeEnum("limit", in.limit(), core::kLimitIds.back(), &out.limit); },
                            [&] { return Take(Decode(in.after()), &out.after); },
                            [&] { return DecodeEnum("ended", in.ended(), core::Outcome::kInterrupted, &out.ended); },
                            [&] { return DecodeStop(in.stop(), &out.stop); });
  if (!fine) return tl::make_unexpected(fine.error());
  return out;
}

void Encode(const core::ProposedAction& in, wire::ProposedAction* out) {
  out->set_epoch(in.epoch);
  out->set_sequence(in.sequence);
  out->set_deadline_ns(core::ToNanoseconds(in.deadline));
  EncodeAxes(in.target_q_rad, in.axes, out->mutable_target_q_rad());
  out->set_risk_scale(in.risk_scale);
}

Result<core::ProposedAction> Decode(const wire::ProposedAction& in) {
  if (in.target_q_rad_size() > core::kAxesMax)
    return Fail(FaultCode::kMalformedMessage, "target_q_rad has " + std::to_string(in.target_q_rad_size()) +
                                                  " values: at most " + std::to_string(core::kAxesMax));
  core::ProposedAction out;
  out.epoch = in.epoch();
  out.sequence = in.sequence();
  out.deadline = core::FromNanoseconds(in.deadline_ns());
  out.axes = in.target_q_rad_size();
  for (int i = 0; i < out.axes; ++i) out.target_q_rad[static_cast<std::size_t>(i)] = in.target_q_rad(i);
  out.risk_scale = in.risk_scale();
  return out;
}

void Encode(const core::LatchReport& in, wire::LatchReport* out) {
  out->set_first(EncodeEnum(in.first));
  out->set_worst(EncodeEnum(in.worst));
  out->set_id(in.id);
  out->set_nonce(in.nonce);
  out->set_epoch(in.epoch);
  out->set_needs_person(in.needs_person);
  out->set_inspecting(in.inspecting);
}

Result<core::LatchReport> Decode(const wire::LatchReport& in) {
  core::LatchReport out;
  out.id = in.id();
  out.nonce = in.nonce();
  out.epoch = in.epoch();
  out.needs_person = in.needs_person();
  out.inspecting = in.inspecting();
  const auto fine = InOrder([&] { return DecodeEnum("first", in.first(), core::StopCause::kOperator, &out.first); },
                            [&] { return DecodeEnum("worst", in.worst(), core::StopCause::kOperator, &out.worst); });
  if (!fine) return tl::make_unexpected(fine.error());
  return out;
}

void Encode(const core::PeriodReport& in, wire::PeriodReport* out) {
  Encode(in.joints, out->mutable_joints());
  EncodeAxes(in.commanded_q_rad, in.joints.axes, out->mutable_commanded_q_rad());
  out->set_verdict(EncodeEnum(in.verdict));
  out->set_limit(EncodeEnum(in.limit));
  out->set_margin(in.margin);
  out->set_ticks_limited(in.ticks_limited);
  out->set_sequence(in.sequence);
  Encode(in.latch, out->mutable_latch());
  Encode(in.person, out->mutable_person());
  out->set_strain(in.strain);
}

void Encode(const core::PersonReport& in, wire::PersonReport* out) {
  out->set_presence(EncodeEnum(in.presence));
  out->set_distance_m(in.distance_m);
  out->set_speed_scale(in.speed_scale);
}

Result<core::PersonReport> Decode(const wire::PersonReport& in) {
  core::PersonReport out{.distance_m = in.distance_m(), .speed_scale = in.speed_scale()};
  if (!std::isfinite(out.distance_m)) return NotFinite("distance_m");
  if (!std::isfinite(out.speed_scale)) return NotFinite("speed_scale");
  if (auto fine = DecodeEnum("presence", in.presence(), core::Presence::kSeen, &out.presence); !fine)
    return tl::make_unexpected(fine.error());
  return out;
}

Result<core::PeriodReport> Decode(const wire::PeriodReport& in) {
  core::PeriodReport out;
  out.margin = in.margin();
  out.ticks_limited = in.ticks_limited();
  out.sequence = in.sequence();
  out.strain = in.strain();
  if (!std::isfinite(out.margin)) return NotFinite("margin");
  if (!std::isfinite(out.strain)) return NotFinite("strain");
  const auto fine = InOrder(
      [&] { return Take(Decode(in.joints()), &out.joints); },
      [&] { return DecodeAxes("commanded_q_rad", in.commanded_q_rad(), out.joints.axes, &out.commanded_q_rad); },
      [&] { return DecodeEnum("verdict", in.verdict(), core::Verdict::kStopped, &out.verdict); },
      [&] { return DecodeEnum("limit", in.limit(), core::kLimitIds.back(), &out.limit); },
      [&] { return Take(Decode(in.latch()), &out.latch); },
      [&] { return in.has_person() ? Take(Decode(in.person()), &out.person) : Result<void>(); });
  if (!fine) return tl::make_unexpected(fine.error());
  return out;
}

void Encode(const core::Fault& in, wire::Refusal* out) {
  const std::string_view code = core::Name(in.code);
  out->set_code(code.data(), code.size());
  out->set_detail(in.detail);
}

core::Fault Decode(const wire::Refusal& in) {
  for (int code = 0; code <= static_cast<int>(kFaultLast); ++code)
    if (core::Name(static_cast<FaultCode>(code)) == in.code()) return {static_cast<FaultCode>(code), in.detail()};
  return {FaultCode::kRefused, in.code() + ": " + in.detail()};
}

std::string ToBytes(const core::Transition& in) {
  wire::Transition message;
  Encode(in, &message);
  return message.SerializeAsString();
}

Result<core::Transition> TransitionFromBytes(std::string_view bytes) {
  const auto message = Parse<wire::Transition>(bytes);
  if (!message) return tl::make_unexpected(message.error());
  return Decode(*message);
}

}  // namespace nightshift::io
