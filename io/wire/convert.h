// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <string_view>

#include "core/action.h"
#include "core/fault.h"
#include "core/observation.h"
#include "core/transition.h"

namespace nightshift::wire {
class JointState;
class Observation;
class Transition;
class ProposedAction;
class LatchReport;
class PeriodReport;
class PersonReport;
class Refusal;
class Vec3;
}  // namespace nightshift::wire

/// Core types to and from the messages of nightshift.proto. Encode overwrites `out`. Decode trusts nobody: a wrong
/// number of axes, an enum out of range or a number that is not finite is a fault that names the field, what came and
/// what is allowed. Faults: kMalformedMessage, kNotFinite. Thread: any; no state.
namespace nightshift::io {

void Encode(const core::Vec3& in, wire::Vec3* out);
core::Result<core::Vec3> Decode(const wire::Vec3& in);

void Encode(const core::JointState& in, wire::JointState* out);
core::Result<core::JointState> Decode(const wire::JointState& in);

void Encode(const core::Observation& in, wire::Observation* out);
core::Result<core::Observation> Decode(const wire::Observation& in);

void Encode(const core::Transition& in, wire::Transition* out);
core::Result<core::Transition> Decode(const wire::Transition& in);

void Encode(const core::ProposedAction& in, wire::ProposedAction* out);
/// Refuses sizes beyond kAxesMax here; whether size and numbers suit the arm is for safety::Filter to judge and count,
/// so what is not finite passes this door.
core::Result<core::ProposedAction> Decode(const wire::ProposedAction& in);

void Encode(const core::LatchReport& in, wire::LatchReport* out);
core::Result<core::LatchReport> Decode(const wire::LatchReport& in);

void Encode(const core::PersonReport& in, wire::PersonReport* out);
core::Result<core::PersonReport> Decode(const wire::PersonReport& in);

void Encode(const core::PeriodReport& in, wire::PeriodReport* out);
core::Result<core::PeriodReport> Decode(const wire::PeriodReport& in);

void Encode(const core::Fault& in, wire::Refusal* out);
/// An unknown code becomes kRefused, with the code in the text.
core::Fault Decode(const wire::Refusal& in);

/// The journal's blob of one transition.
std::string ToBytes(const core::Transition& in);
core::Result<core::Transition> TransitionFromBytes(std::string_view bytes);

}  // namespace nightshift::io
