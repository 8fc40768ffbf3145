// SPDX-License-Identifier: Apache-2.0
#include "io/robot/cell/cell_control.h"

#include <algorithm>
#include <utility>

#include "io/robot/cell/cell_geometry.h"
#include "io/wire/convert.h"
#include "io/wire/nightshift.pb.h"
#include "io/wire/parse.h"

namespace nightshift::io::cell {
namespace {

/// Fewer numbers than axes leave zeros: told apart from none at all by the caller.
core::AxisArray AxesFrom(const google::protobuf::RepeatedField<double>& sent) {
  core::AxisArray axes{};
  std::copy_n(sent.begin(), std::min<std::size_t>(axes.size(), static_cast<std::size_t>(sent.size())), axes.begin());
  return axes;
}

}  // namespace

core::Result<CellControl> CellControl::Connect(const std::string& cell_control, Wait wait) {
  auto cell = Requester::Connect(cell_control);
  if (!cell) return tl::make_unexpected(cell.error());
  return CellControl(std::move(*cell), wait);
}

CellControl::CellControl(Requester cell, Wait wait) : cell_(std::move(cell)), wait_(wait) {}

core::Result<wire::CellReply> CellControl::Ask(wire::CellRequest& request) {
  request.set_protocol(kProtocol);
  const auto answer = cell_.Call(request.SerializeAsString(), wait_);
  if (!answer) return tl::make_unexpected(answer.error());
  auto reply = Parse<wire::CellReply>(*answer);
  if (reply && reply->has_refused()) return tl::make_unexpected(Decode(reply->refused()));
  return reply;
}

core::Result<void> CellControl::Order(wire::CellRequest& request) {
  const auto reply = Ask(request);
  if (!reply) return tl::make_unexpected(reply.error());
  if (!reply->has_done())
    return core::Fail(core::FaultCode::kMalformedMessage, "cell control: the answer to an order is not \"done\"");
  return {};
}

core::Result<void> CellControl::Inject(const std::string& fault, unsigned index, core::Duration duration) {
  wire::CellRequest request;
  request.mutable_inject()->set_fault(fault);
  request.mutable_inject()->set_index(index);
  request.mutable_inject()->set_duration_s(core::ToSeconds(duration));
  return Order(request);
}

core::Result<void> CellControl::Stage(std::uint64_t seed) {
  wire::CellRequest request;
  request.mutable_stage()->set_seed(seed);
  return Order(request);
}

core::Result<void> CellControl::PutBack(unsigned object) {
  wire::CellRequest request;
  request.mutable_put_back()->set_object(object);
  return Order(request);
}

core::Result<void> CellControl::SetSpeed(double factor) {
  wire::CellRequest request;
  request.mutable_speed()->set_factor(factor);
  return Order(request);
}

core::Result<CellControl::Truth> CellControl::AskTruth() {
  wire::CellRequest request;
  request.mutable_truth();
  const auto reply = Ask(request);
  if (!reply) return tl::make_unexpected(reply.error());
  if (!reply->has_truth())
    return core::Fail(core::FaultCode::kMalformedMessage, "cell control: the answer is not a truth");
  Truth truth{.objects_m = {}, .held = {}, .time = core::FromNanoseconds(reply->truth().time_ns())};
  for (const wire::Vec3& sent : reply->truth().objects_m()) {
    const auto place = Decode(sent);
    if (!place) return tl::make_unexpected(place.error());
    truth.objects_m.push_back(*place);
  }
  truth.held.assign(reply->truth().held().begin(), reply->truth().held().end());
  return truth;
}

core::Result<CellControl::Record> CellControl::AskRecord(std::uint64_t after_tick) {
  wire::CellRequest request;
  request.mutable_record()->set_after_tick(after_tick);
  const auto reply = Ask(request);
  if (!reply) return tl::make_unexpected(reply.error());
  if (!reply->has_record())
    return core::Fail(core::FaultCode::kMalformedMessage, "cell control: the answer is not a record");
  Record record{.moments = {}, .incomplete = reply->record().incomplete()};
  for (const auto& sent : reply->record().moments()) {
    Moment moment{.tick = sent.tick(),
                  .time = core::FromNanoseconds(static_cast<std::int64_t>(sent.tick()) * kTickNs),
                  .told_power = sent.told_power_off() ? core::PowerMode::kOff : core::PowerMode::kHold,
                  .q_rad = AxesFrom(sent.q_rad()),
                  .dq_rad_s = AxesFrom(sent.dq_rad_s()),
                  .following = sent.following()};
    if (sent.told_q_rad_size() > 0) moment.told_q_rad = AxesFrom(sent.told_q_rad());
    record.moments.push_back(moment);
  }
  return record;
}

}  // namespace nightshift::io::cell
