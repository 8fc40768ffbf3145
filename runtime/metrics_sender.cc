// SPDX-License-Identifier: Apache-2.0
#include "runtime/metrics_sender.h"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "io/link/link.h"
#include "io/wire/nightshift.pb.h"

namespace nightshift::runtime {
namespace {

constexpr std::chrono::milliseconds kSendPeriod{1000};
constexpr io::Wait kAnswerWaitMax{100};

}  // namespace

class MetricsSender::Loop {
 public:
  Loop(std::string endpoint, Source source)
      : endpoint_(std::move(endpoint)), source_(std::move(source)), thread_([this] { Run(); }) {}

  ~Loop() {
    {
      const std::lock_guard lock(mutex_);
      ending_ = true;
    }
    ended_.notify_all();
    thread_.join();
  }

 private:
  void Run() {
    auto requester = io::Requester::Connect(endpoint_);
    std::unique_lock lock(mutex_);
    while (!ending_) {
      lock.unlock();
      wire::MetricsReport report;
      report.set_process(source_.process);
      report.set_exposition(source_.exposition());
      // Lost figures are replaced by the next ones a second later.
      if (requester) static_cast<void>(requester->Call(report.SerializeAsString(), kAnswerWaitMax));
      lock.lock();
      ended_.wait_for(lock, kSendPeriod, [this] { return ending_; });
    }
  }

  const std::string endpoint_;
  const Source source_;
  std::mutex mutex_;
  std::condition_variable ended_;
  bool ending_ = false;  // Guarded by mutex_.
  std::thread thread_;   // Last: it uses all above.
};

MetricsSender::MetricsSender(std::string endpoint, Source source)
    : loop_(std::make_unique<Loop>(std::move(endpoint), std::move(source))) {}
MetricsSender::~MetricsSender() = default;

}  // namespace nightshift::runtime
