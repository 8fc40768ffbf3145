// SPDX-License-Identifier: Apache-2.0
#include "runtime/audit_writer.h"

#include <chrono>
#include <utility>

namespace nightshift::runtime {
namespace {

constexpr std::chrono::milliseconds kBeat{50};  // What a power cut may take; a kill takes what the queue holds, too.

}  // namespace

AuditWriter::AuditWriter(safety::Audit& audit, Listener heard)
    : audit_(audit), heard_(std::move(heard)), thread_([this] { Run(); }) {}

AuditWriter::~AuditWriter() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  ends_.notify_one();
  thread_.join();
}

void AuditWriter::Run() {
  std::unique_lock lock(mutex_);
  for (bool last = false; !last;) {
    last = ends_.wait_for(lock, kBeat, [this] { return ending_; });
    lock.unlock();
    heard_(audit_.Flush());
    lock.lock();
  }
}

}  // namespace nightshift::runtime
