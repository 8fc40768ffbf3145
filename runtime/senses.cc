// SPDX-License-Identifier: Apache-2.0
#include "runtime/senses.h"

#include <map>

#include "io/camera/camera_source.h"
#include "io/camera/truth_source.h"
#include "io/robot/cell/cell_camera.h"
#include "io/robot/cell/cell_control.h"

namespace nightshift::runtime {
namespace {

constexpr io::Wait kTruthWait{500};
constexpr io::Wait kPutBackWait{1000};

class CellPerson : public Person {
 public:
  CellPerson(io::cell::CellControl cell, core::Duration answers_after)
      : cell_(std::move(cell)), answers_after_(answers_after) {}

  void Ask(const std::string&, int object) override { asked_[object] = now_ + answers_after_; }

  core::Result<void> Attend(core::Instant now) override {
    now_ = now;
    for (auto due = asked_.begin(); due != asked_.end();) {
      if (due->second > now) {
        ++due;
        continue;
      }
      if (auto put = cell_.PutBack(static_cast<unsigned>(due->first)); !put) return put;
      due = asked_.erase(due);
    }
    return {};
  }

 private:
  io::cell::CellControl cell_;
  core::Duration answers_after_;
  core::Instant now_;
  std::map<int, core::Instant> asked_;  // Object -> when someone comes.
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
  return std::make_unique<CellPerson>(std::move(*cell), core::Seconds(config.practice.person_answers_after_s));
}

}  // namespace nightshift::runtime
