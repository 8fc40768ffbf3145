// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "safety/audit.h"

namespace nightshift::runtime {

/// Makes the audit durable some 20 times a second, on a thread of its own: a disk that hangs delays neither answers nor
/// the watchdog. What it cannot write waits in the audit's queue.
class AuditWriter {
 public:
  /// Hears what came of each try, on the writer's thread.
  using Listener = std::function<void(const core::Result<void>&)>;

  /// @param audit outlives this, and only this writes it.
  AuditWriter(safety::Audit& audit, Listener heard);
  AuditWriter(const AuditWriter&) = delete;
  AuditWriter& operator=(const AuditWriter&) = delete;
  /// Writes what is left.
  ~AuditWriter();

 private:
  void Run();

  safety::Audit& audit_;
  Listener heard_;
  std::mutex mutex_;
  std::condition_variable ends_;
  bool ending_ = false;  // Guarded by mutex_.
  std::thread thread_;
};

}  // namespace nightshift::runtime
