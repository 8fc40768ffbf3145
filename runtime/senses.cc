// SPDX-License-Identifier: Apache-2.0
#include "runtime/senses.h"

#include <map>

#include "io/camera/camera_source.h"
#include "io/camera/truth_source.h"
#include "io/robot/cell/cell_camera.h"
#include "io/robot/cell/cell_control.h"
#include "io/wire/convert.h"
#include "io/wire/nightshift.pb.h"
#include "io/wire/parse.h"

namespace nightshift::runtime {
namespace {

constexpr io::Wait kTruthWait{500};
constexpr io::Wait kPutBackWait{1000};
constexpr io::Wait kClearWait{1000};

/// Clears, as a person does, what holds the robot now; never what a real person has stopped.
core::Result<void> ClearByPerson(const io::Endpoints& endpoints) {
  auto state = io::Subscriber::Connect(endpoints.safety_state);
  if (!state) return tl::make_unexpected(state.error());
  const auto bytes = state->Latest(kClearWait);
  if (!bytes) return core::Fail(core::FaultCode::kPeerTimeout, endpoints.safety_state + ": safety says nothing");
  const auto status = io::Parse<wire::SafetyStatus>(*bytes);
  if (!status) return tl::make_unexpected(status.error());
  const auto latch = io::Decode(status->period().latch());
  if (!latch) return tl::make_unexpected(latch.error());
  if (!latch->latched() || latch->worst == core::StopCause::kOperator) return {};
  auto safety = io::Requester::Connect(endpoints.safety_command);
  if (!safety) return tl::make_unexpected(safety.error());
  wire::SafetyRequest request;
  request.set_protocol(io::kProtocol);
  request.mutable_acknowledge()->set_latch_id(latch->id);
  request.mutable_acknowledge()->set_nonce(latch->nonce);
  request.mutable_acknowledge()->set_by_person(true);
  const auto answer = safety->Call(request.SerializeAsString(), kClearWait);
  if (!answer) return tl::make_unexpected(answer.error());
  const auto reply = io::Parse<wire::SafetyReply>(*answer);
  if (!reply) return tl::make_unexpected(reply.error());
  if (reply->has_refused()) return tl::make_unexpected(io::Decode(reply->refused()));
  return {};
}

class CellPerson : public Person {
 public:
  CellPerson(io::cell::CellControl cell, io::Endpoints endpoints, core::Duration answers_after)
      : cell_(std::move(cell)), endpoints_(std::move(endpoints)), answers_after_(answers_after) {}

  void Ask(const std::string&, int object) override { asked_[object] = now_ + answers_after_; }

  core::Result<void> Attend(core::Instant now) override {
    now_ = now;
    for (auto due = asked_.begin(); due != asked_.end();) {
      if (due->second > now) {
        ++due;
        continue;
      }
      const int about = due->first;
      due = asked_.erase(due);
      auto done = about == core::kTheRobot ? ClearByPerson(endpoints_) : cell_.PutBack(static_cast<unsigned>(about));
      if (done) continue;
      asked_[about] = now_ + answers_after_;  // Tries again.
      return done;
    }
    return {};
  }

 private:
  io::cell::CellControl cell_;
  io::Endpoints endpoints_;
  core::Duration answers_after_;
  core::Instant now_;
  std::map<int, core::Instant> asked_;  // Object, or the robot -> when someone comes.
};

}  // namespace

core::Result<std::unique_ptr<io::ObjectSource>> MakeEyes(const Config& config, const io::Endpoints& endpoints) {
  switch (config.perception.source) {
    case io::PerceptionSource::kGroundTruth: {
      auto truth = io::TruthSource::Connect(endpoints.cell_control, kTruthWait);
      if (!truth) return tl::make_unexpected(truth.error());
      return std::make_unique<io::TruthSource>(std::move(*truth));
    }
    case io::PerceptionSource::kCamera: {
      const io::Wait wait{static_cast<int>(config.perception.frame_wait_s * 1000)};
      auto camera = io::cell::CellCameraClient::Connect(endpoints.cell_camera, wait);
      if (!camera) return tl::make_unexpected(camera.error());
      return std::make_unique<io::CameraSource>(std::make_unique<io::cell::CellCameraClient>(std::move(*camera)),
                                                config.perception);
    }
  }
  return core::Fail(core::FaultCode::kInvalidConfig, "perception: unknown source");
}

core::Result<std::unique_ptr<Person>> MakePerson(const Config& config, const io::Endpoints& endpoints) {
  auto cell = io::cell::CellControl::Connect(endpoints.cell_control, kPutBackWait);
  if (!cell) return tl::make_unexpected(cell.error());
  return std::make_unique<CellPerson>(std::move(*cell), endpoints,
                                      core::Seconds(config.practice.person_answers_after_s));
}

}  // namespace nightshift::runtime
