// SPDX-License-Identifier: Apache-2.0
#include "io/robot/cell/cell_camera.h"

#include <utility>

#include "io/wire/nightshift.pb.h"
#include "io/wire/parse.h"

namespace nightshift::io::cell {
namespace {

constexpr unsigned kSideMaxPx = 4096;

}  // namespace

core::Result<CellCameraClient> CellCameraClient::Connect(const std::string& cell_camera, Wait wait) {
  auto camera = Requester::Connect(cell_camera);
  if (!camera) return tl::make_unexpected(camera.error());
  return CellCameraClient(std::move(*camera), wait);
}

CellCameraClient::CellCameraClient(Requester camera, Wait wait) : camera_(std::move(camera)), wait_(wait) {}

core::Result<core::Frame> CellCameraClient::Grab(core::Instant not_before) {
  wire::FrameRequest ask;
  ask.set_protocol(kProtocol);
  ask.set_not_before_ns(core::ToNanoseconds(not_before));
  const auto answer = camera_.Call(ask.SerializeAsString(), wait_);
  if (!answer) return core::Fail(core::FaultCode::kCameraTimeout, "cell camera: " + answer.error().detail);
  const auto reply = Parse<wire::FrameReply>(*answer);
  if (!reply) return tl::make_unexpected(reply.error());
  if (reply->width() > kSideMaxPx || reply->height() > kSideMaxPx ||
      reply->rgb().size() != std::size_t{3} * reply->width() * reply->height())
    return core::Fail(core::FaultCode::kMalformedMessage, "cell camera: " + std::to_string(reply->rgb().size()) +
                                                              " bytes for " + std::to_string(reply->width()) + " x " +
                                                              std::to_string(reply->height()) +
                                                              " pixels: must be 3 each, at most 4096 a side");
  return core::Frame{.captured = core::FromNanoseconds(reply->captured_ns()),
                     .sequence = reply->sequence(),
                     .width = static_cast<int>(reply->width()),
                     .height = static_cast<int>(reply->height()),
                     .rgb = {reply->rgb().begin(), reply->rgb().end()}};
}

}  // namespace nightshift::io::cell
