// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace nightshift::io {

/// A disk that fails on command: wraps SQLite's default VFS for as long as it lives, and counts what reaches the disk.
/// Thread: one.
class FaultyDisk {
 public:
  enum class Fault { kFull, kSyncFails };

  FaultyDisk();
  FaultyDisk(const FaultyDisk&) = delete;
  ~FaultyDisk();

  /// From the n-th operation of that kind on (1: the next), each fails: kFull counts writes, kSyncFails counts syncs.
  void FailFrom(Fault fault, int n);
  void Heal();
  /// Whether an operation has failed since FailFrom.
  bool failed() const;
};

}  // namespace nightshift::io
