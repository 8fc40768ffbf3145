// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "core/action.h"
#include "core/fault.h"
#include "core/time.h"

namespace nightshift::safety {

/// What was judged in one tick, or in several one after the other that say the same of the same: see AuditRuns.
struct AuditRecord {
  core::Instant at;  // Of the last of them.
  core::Verdict verdict = core::Verdict::kPass;
  core::LimitId limit = core::LimitId::kNone;
  int axis = 0;
  double wanted = 0, allowed = 0;  // Of the tick that wanted most beyond the limit.
  std::uint64_t ticks = 0;
  std::uint64_t sequence = 0;    // Of the proposal in force; 0: none.
  std::uint64_t input_hash = 0;  // Over the inputs of all ticks so far.
  core::LatchReport latch;

  double margin() const { return allowed - wanted; }
};

/// The safety process's own record of every judgement that was not "pass": `<folder>/audit-NNNNNN.jsonl`, one line
/// each, each with a BLAKE2b hash over itself and the hash before it, so that a cut or edited line shows. A line torn
/// by a crash is dropped at the next start. At most kFilesMax files of kFileBytesMax; then the oldest is deleted:
/// twelve days of practice (3.5 MB an hour), or three hours of a robot whose every tick is another record.
///
/// Threads: Push from the control thread (no lock, no allocation); written and dropped from any; everything else from
/// one other thread.
class Audit {
 public:
  static constexpr std::size_t kFileBytesMax = 16u << 20;
  static constexpr int kFilesMax = 64;

  struct Options {
    std::string folder;
    std::function<std::int64_t()> utc_ns;  // For people only.
    std::size_t file_bytes_max = kFileBytesMax;
  };
  /// Faults: kIoFailed, kDiskFull, kAlreadyRunning (another process writes to this folder).
  static core::Result<Audit> Open(Options options);
  Audit(Audit&&) noexcept;
  Audit& operator=(Audit&&) noexcept;
  ~Audit();

  /// Full: the record is dropped and counted; the count is written with the next line.
  void Push(const AuditRecord& record) noexcept;

  /// Writes what was pushed and syncs it to the disk. Faults: kDiskFull, kIoFailed; the records stay for a later try
  /// as far as the queue holds them.
  core::Result<void> Flush();

  std::uint64_t written() const;
  std::uint64_t dropped() const;

 private:
  struct State;
  explicit Audit(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// Follows the chain of hashes through the folder's files. Returns the number of lines.
/// Faults: kCorruptState naming file and line; kIoFailed.
core::Result<std::uint64_t> VerifyAudit(const std::string& folder);

}  // namespace nightshift::safety
