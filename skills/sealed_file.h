// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <string_view>

#include "core/fault.h"

/// Files that are either whole or not there: written under a temporary name, synced, renamed over the old one,
/// directory synced; the last 32 bytes are the SHA-256 of everything before them.
namespace nightshift::skills {

inline constexpr std::size_t kSealBytes = 32;
inline constexpr std::size_t kSealedFileBytesMax = 256u << 20;

/// SHA-256 of `bytes`: 32 raw bytes.
std::string Sha256(std::string_view bytes);

/// Lower-case hexadecimal of raw bytes.
std::string Hex(std::string_view bytes);

/// Faults: kDiskFull, kIoFailed; also for what is larger than is read back. Then what was there is left as it was.
core::Result<void> WriteSealed(const std::string& path, std::string_view content);

/// The content without its seal. Faults: kMissingFile, kIoFailed, or `damaged` when the seal does not fit.
core::Result<std::string> ReadSealed(const std::string& path, core::FaultCode damaged);

}  // namespace nightshift::skills
