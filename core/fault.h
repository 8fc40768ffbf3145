// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <string_view>
#include <utility>

#include <tl/expected.hpp>

namespace nightshift::core {

/// What the program acts on. A closed set: it is also the label set of metrics and the index of docs/runbook.md.
enum class FaultCode {
  kInvalidConfig,     // A configuration file, key or value.
  kMissingFile,       // A file that the configuration names is not there.
  kDriverTimeout,     // The robot did not answer in time.
  kDriverLost,        // The robot's bus is gone.
  kCameraTimeout,     // No frame in time.
  kPeerTimeout,       // Another Nightshift process did not answer in time.
  kMalformedMessage,  // Bytes that are not a message of ours.
  kNotFinite,         // NaN or infinity where a number belongs.
  kOutOfReach,        // A pose that the arm cannot take.
  kRefused,           // Understood, and not allowed now.
  kCorruptSnapshot,   // A policy snapshot whose checksum, shape or numbers are wrong.
  kCorruptState,      // A database or manifest that cannot be trusted.
  kSchemaTooNew,      // Written by a later version of Nightshift.
  kDiskFull,          // No room to commit.
  kIoFailed,          // Any other failure of the operating system's I/O.
  kAlreadyRunning,    // A second instance on the same data directory.
};

std::string_view Name(FaultCode code);

/// Expected trouble: a code to act on and a text a person can use (what, where, allowed range, what to do next).
struct Fault {
  FaultCode code;
  std::string detail;  // Never parsed.
};

template <typename T>
using Result = tl::expected<T, Fault>;

inline tl::unexpected<Fault> Fail(FaultCode code, std::string detail) {
  return tl::make_unexpected(Fault{code, std::move(detail)});
}

}  // namespace nightshift::core
