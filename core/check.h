// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace nightshift::core {

/// Prints the broken invariant and aborts; the watchdogs hold the arm and the service manager restarts the process.
[[noreturn]] void CheckFailed(const char* condition, const char* file, int line);

}  // namespace nightshift::core

/// Always on: a broken invariant is a defect, not an expected trouble (those are Result<T>).
#define NIGHTSHIFT_CHECK(condition) \
  ((condition) ? static_cast<void>(0) : ::nightshift::core::CheckFailed(#condition, __FILE__, __LINE__))
