// SPDX-License-Identifier: Apache-2.0
#include "io/robot/cell/cell_driver.h"

#include <algorithm>
#include <utility>

#include "io/wire/convert.h"
#include "io/wire/nightshift.pb.h"
#include "io/wire/parse.h"

namespace nightshift::io::cell {

core::Result<CellDriver> CellDriver::Connect(const std::string& cell_bus, const CellDriverConfig& config) {
  auto bus = Requester::Connect(cell_bus);
  if (!bus) return tl::make_unexpected(bus.error());
  return CellDriver(std::move(*bus), config);
}

CellDriver::CellDriver(Requester bus, const CellDriverConfig& config) : bus_(std::move(bus)), config_(config) {}

core::Result<void> CellDriver::Send(const std::string& body) {
  awaited_.reset();
  const auto id = bus_.Send(body, config_.send_wait);
  if (!id) return core::Fail(core::FaultCode::kDriverLost, "cell bus: " + id.error().detail);
  awaited_ = *id;
  return {};
}

/// Read back, as from a register: drives that have not taken it would follow the last command for ever.
core::Result<void> CellDriver::CheckTimeout(const wire::BusReply& reply) const {
  const auto wanted = static_cast<std::uint32_t>(config_.command_timeout.count());
  if (!armed_ || reply.command_timeout_ms() == wanted) return {};
  return core::Fail(core::FaultCode::kRefused,
                    "cell bus: the drives' command timeout is " + std::to_string(reply.command_timeout_ms()) +
                        " ms: must be " + std::to_string(wanted) +
                        " ms as it was armed, or nothing stops the arm when this process dies; is the cell another "
                        "version?");
}

core::Result<core::JointState> CellDriver::Read() {
  if (!awaited_) {
    wire::BusRequest ask;
    ask.set_protocol(kProtocol);
    armed_ = false;
    if (auto sent = Send(ask.SerializeAsString()); !sent) return tl::make_unexpected(sent.error());
  }
  const auto answer = bus_.Receive(*awaited_, config_.answer_wait);
  awaited_.reset();
  if (!answer) return core::Fail(core::FaultCode::kDriverTimeout, "cell bus: " + answer.error().detail);
  const auto reply = Parse<wire::BusReply>(*answer);
  if (!reply) return tl::make_unexpected(reply.error());
  if (const auto armed = CheckTimeout(*reply); !armed) return tl::make_unexpected(armed.error());
  auto joints = Decode(reply->joints());
  if (!joints) return joints;
  if (joints->axes != config_.axes)
    return core::Fail(core::FaultCode::kMalformedMessage, "cell bus: a state of " + std::to_string(joints->axes) +
                                                              " axes: must have " + std::to_string(config_.axes) +
                                                              "; does the cell run another model?");
  tick_ = std::max(tick_, reply->tick());
  return joints;
}

core::Result<void> CellDriver::Apply(const core::SafeAction& action) {
  if (action.axes() != config_.axes)
    return core::Fail(core::FaultCode::kRefused, "cell bus: an action of " + std::to_string(action.axes()) +
                                                     " axes: must have " + std::to_string(config_.axes));
  if (tick_ == 0) {
    // A driver that never heard the cell's clock must not invent one: it would be taken for long ago.
    if (auto first = Read(); !first) return tl::make_unexpected(first.error());
  }
  wire::BusRequest step;
  step.set_protocol(kProtocol);
  step.set_tick(++tick_);
  step.set_power_off(action.power() == core::PowerMode::kOff);
  for (int i = 0; i < config_.axes; ++i) step.add_q_rad(action.q_rad()[static_cast<std::size_t>(i)]);
  step.set_command_timeout_ms(static_cast<std::uint32_t>(config_.command_timeout.count()));
  armed_ = true;
  return Send(step.SerializeAsString());
}

}  // namespace nightshift::io::cell
