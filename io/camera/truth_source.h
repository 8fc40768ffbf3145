// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>

#include "core/fault.h"
#include "io/camera/object_source.h"
#include "io/link/link.h"

namespace nightshift::io {

/// Objects as the simulated cell knows them (`perception.source = "ground_truth"`). For quick tests; whoever uses it
/// says so in status and reports.
class TruthSource final : public ObjectSource {
 public:
  /// @param cell_control where the cell answers. Faults: those of Requester::Connect.
  static core::Result<TruthSource> Connect(const std::string& cell_control, Wait wait);

  Sighting Look(const ArmView& arm) override;

 private:
  TruthSource(Requester cell, Wait wait);
  Sighting Absent(core::Instant now, core::Fault why) const;

  Requester cell_;
  Wait wait_;
  Sighting last_;
  core::Instant last_look_;
};

}  // namespace nightshift::io
