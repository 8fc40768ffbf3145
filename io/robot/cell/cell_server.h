// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "core/fault.h"
#include "io/link/link.h"
#include "io/robot/cell/cell_config.h"

namespace nightshift::io::cell {

enum class CellCamera {
  kRendered,
  kAbsent,  // Frame requests stay unanswered: for machines without EGL and runs on ground truth.
};

struct CellServerConfig {
  CellConfig cell;
  std::string state_file;  // The world's state, for after a power cut. Empty: none is kept.
  double speed = 0;        // Robot seconds per wall second at most; 0: as fast as the machine allows.
  CellCamera camera = CellCamera::kRendered;
};

/// Faults: those of Validate(CellConfig), and kInvalidConfig for a speed outside [0, 1000].
core::Result<void> Validate(const CellServerConfig& config);

/// What happened on the sockets so far.
struct CellCounts {
  std::uint64_t ticks = 0;         // Steps made on request.
  std::uint64_t ticks_alone = 0;   // Steps made because nobody asked: the drives heard nothing.
  std::uint64_t ticks_missed = 0;  // Steps made for requests that got lost.
  std::uint64_t frames = 0;
  std::uint64_t malformed = 0;
  std::optional<core::Fault> save_fault;  // The latest copy of the world's state could not be written.
};

/// The cell as hardware: a bus that steps the world one tick per numbered request, a camera, and a control socket for
/// faults, staging, truth and the person who puts things back.
///
/// Without a step request for `silence_ms` of wall time the world goes on in real time with nothing said to its drives.
/// The state file is replaced atomically, so that kill -9 at any instant is a power cut and no reset.
/// Thread: the one that called Start; Run blocks it. `stop` may be set from anywhere, also from a signal handler.
class CellServer {
 public:
  /// @param config already validated. Restores the state file if there is one.
  /// Faults: those of CellWorld::Load, CellRenderer::Create, Replier::Bind; kCorruptState.
  static core::Result<CellServer> Start(const CellServerConfig& config, const Endpoints& endpoints);
  CellServer(CellServer&&) noexcept;
  CellServer& operator=(CellServer&&) noexcept;
  ~CellServer();

  /// Hears the counts about once a second of wall time, on the server's thread.
  using Listener = std::function<void(const CellCounts&)>;

  /// Serves until `stop`, also while the state cannot be kept. Faults: kDiskFull, kIoFailed when it cannot be kept at
  /// the end.
  core::Result<void> Run(const std::atomic<bool>& stop, const Listener& tell = {});

  CellCounts counts() const;

 private:
  struct State;
  explicit CellServer(std::unique_ptr<State> state);
  std::unique_ptr<State> s_;
};

}  // namespace nightshift::io::cell
