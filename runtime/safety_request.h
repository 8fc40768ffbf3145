// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string_view>

#include "core/fault.h"
#include "runtime/safety_mail.h"

namespace nightshift::runtime {

/// A SafetyRequest's bytes as mail for the control thread; the ticket is left at 0. The one door through which other
/// processes' words come in; what it lets pass is still for safety::Filter to judge.
/// Faults: kMalformedMessage naming the field, what came and what is allowed. Thread: any; no state.
core::Result<SafetyMail> MailOf(std::string_view bytes);

}  // namespace nightshift::runtime
