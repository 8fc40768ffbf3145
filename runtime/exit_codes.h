// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "core/fault.h"

namespace nightshift::runtime {

/// What a process of ours says by ending. Whoever restarts it (nightshift run, systemd) acts on nothing else.
inline constexpr int kExitDone = 0;   // Asked to end, or the robot time is over.
inline constexpr int kExitFault = 1;  // Trouble that a restart may cure.
inline constexpr int kExitRefused =
    78;  // Configuration, data or another instance: starting again is no use (EX_CONFIG).

/// The exit code of a program that ends for this fault.
int ExitCodeOf(core::FaultCode code);

}  // namespace nightshift::runtime
