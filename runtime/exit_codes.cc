// SPDX-License-Identifier: Apache-2.0
#include "runtime/exit_codes.h"

namespace nightshift::runtime {

int ExitCodeOf(core::FaultCode code) {
  switch (code) {
    case core::FaultCode::kInvalidConfig:
    case core::FaultCode::kMissingFile:
    case core::FaultCode::kCorruptState:
    case core::FaultCode::kSchemaTooNew:
    case core::FaultCode::kAlreadyRunning: return kExitRefused;
    case core::FaultCode::kDriverTimeout:
    case core::FaultCode::kDriverLost:
    case core::FaultCode::kCameraTimeout:
    case core::FaultCode::kPeerTimeout:
    case core::FaultCode::kMalformedMessage:
    case core::FaultCode::kNotFinite:
    case core::FaultCode::kOutOfReach:
    case core::FaultCode::kRefused:
    case core::FaultCode::kCorruptSnapshot:
    case core::FaultCode::kDiskFull:
    case core::FaultCode::kIoFailed: return kExitFault;
  }
  return kExitFault;
}

}  // namespace nightshift::runtime
