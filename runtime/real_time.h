// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <vector>

namespace nightshift::runtime {

/// Keeps this process's memory from being paged out. Says what was not permitted, and how to permit it.
std::vector<std::string> LockMemory();

/// Gives the calling thread a real-time priority. Says what was not permitted, and how to permit it.
std::vector<std::string> RaisePriority();

}  // namespace nightshift::runtime
