// SPDX-License-Identifier: Apache-2.0
#include "io/camera/truth_source.h"

#include <algorithm>
#include <utility>

#include "io/wire/nightshift.pb.h"
#include "io/wire/parse.h"

namespace nightshift::io {
namespace {

core::Result<wire::CellReply::Truth> Ask(Requester& cell, Wait wait) {
  wire::CellRequest request;
  request.set_protocol(kProtocol);
  request.mutable_truth();
  const auto answer = cell.Call(request.SerializeAsString(), wait);
  if (!answer) return tl::make_unexpected(answer.error());
  const auto reply = Parse<wire::CellReply>(*answer);
  if (!reply) return tl::make_unexpected(reply.error());
  if (!reply->has_truth())
    return core::Fail(core::FaultCode::kMalformedMessage, "cell_control: the answer to AskTruth is not a truth");
  return reply->truth();
}

}  // namespace

TruthSource::TruthSource(Requester cell, Wait wait) : cell_(std::move(cell)), wait_(wait) {}

core::Result<TruthSource> TruthSource::Connect(const std::string& cell_control, Wait wait) {
  auto cell = Requester::Connect(cell_control);
  if (!cell) return tl::make_unexpected(cell.error());
  return TruthSource(std::move(*cell), wait);
}

Sighting TruthSource::Look(const ArmView& arm) {
  const auto truth = Ask(cell_, wait_);
  if (!truth) return Absent(arm.now, truth.error());
  Sighting told;
  told.frame = core::FrameHealth::kGood;
  told.object_count = std::min(truth->objects_m_size(), core::kObjectsMax);
  for (int i = 0; i < told.object_count; ++i) {
    const wire::Vec3& at = truth->objects_m(i);
    told.objects[static_cast<std::size_t>(i)] = {.position_m = {at.x(), at.y(), at.z()}, .confidence = 1};
  }
  last_ = told;
  last_look_ = arm.now;
  return told;
}

Sighting TruthSource::Absent(core::Instant now, core::Fault why) const {
  Sighting told = last_;
  told.frame = core::FrameHealth::kAbsent;
  told.frame_age = now - last_look_;
  for (core::TrackedObject& object : told.objects) object.age = now - last_look_;
  told.why_absent = std::move(why);
  return told;
}

}  // namespace nightshift::io
