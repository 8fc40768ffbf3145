// SPDX-License-Identifier: Apache-2.0
#include "runtime/state_keeper.h"

#include <chrono>
#include <condition_variable>
#include <fstream>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "safety/state_file.h"

namespace nightshift::runtime {
namespace {

constexpr std::chrono::milliseconds kWriteEvery{1000};

}  // namespace

std::string ReadBootId(const std::string& path) {
  std::ifstream file(path);
  std::string id;
  file >> id;
  return id;
}

class StateKeeper::Loop {
 public:
  explicit Loop(Parts parts) : parts_(std::move(parts)), thread_([this] { Run(); }) {}

  ~Loop() {
    {
      const std::lock_guard lock(mutex_);
      ending_ = true;
    }
    ended_.notify_all();
    thread_.join();
  }

  void Keep(const safety::SafetyState& state) {
    safety::StoredState stored{.at = parts_.now(), .state = state};
    const std::lock_guard lock(mutex_);
    newest_ = std::move(stored);
  }

 private:
  void Run() {
    std::unique_lock lock(mutex_);
    for (bool last = false; !last;) {
      last = ended_.wait_for(lock, kWriteEvery, [this] { return ending_; });
      const auto newest = std::exchange(newest_, std::nullopt);
      if (!newest) continue;
      lock.unlock();
      parts_.written(safety::WriteStateFile(parts_.path, *newest));
      lock.lock();
    }
  }

  const Parts parts_;
  std::mutex mutex_;
  std::condition_variable ended_;
  bool ending_ = false;                        // Guarded by mutex_,
  std::optional<safety::StoredState> newest_;  // as this: not yet written.
  std::thread thread_;                         // Last: it uses all above.
};

StateKeeper::StateKeeper(Parts parts) : loop_(std::make_unique<Loop>(std::move(parts))) {}
StateKeeper::~StateKeeper() = default;

void StateKeeper::Keep(const safety::SafetyState& state) { loop_->Keep(state); }

}  // namespace nightshift::runtime
