// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "core/fault.h"
#include "skills/dense_network.h"

/// Sealed files that hold a network. Format (little endian): magic of eight letters, u32 schema, u32 length of the
/// header, header (a JSON object; its "layers" are the layers' sizes), all floats, SHA-256 (32 bytes) of everything
/// before it. Written to a temporary name, synced, renamed.
namespace nightshift::skills {

struct WeightsFormat {
  std::string_view magic;    // Eight letters.
  std::uint32_t schema = 1;  // The newest that this program reads.
  std::string_view thing;    // "policy snapshot", for faults.
};

struct WeightsFile {
  std::string header;  // A JSON object; "layers" is added when it is written.
  DenseLayers layers;
};

/// Faults: kIoFailed, kDiskFull.
core::Result<void> WriteWeights(const std::string& path, const WeightsFormat& format, const WeightsFile& file);

/// What is in the layers is still to be checked. Faults: kMissingFile, kCorruptSnapshot, kSchemaTooNew.
core::Result<WeightsFile> ReadWeights(const std::string& path, const WeightsFormat& format);

}  // namespace nightshift::skills
