// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <vector>

namespace nightshift::runtime::cli {

/// Further down wins.
enum class Finding { kGood, kWarning, kBad };

/// One line of `nightshift check`.
struct Checked {
  Finding finding = Finding::kGood;
  std::string what;
  std::string detail;  // What was found; for what is not good also what to do.
};

/// Everything that can be said before anything moves. Changes nothing, except that it makes and removes one file in the
/// data directory. An empty data directory name leaves out what concerns it.
std::vector<Checked> CheckAll(const std::string& config_file, const std::string& data_directory);

/// The worst of all; kGood of none.
Finding Worst(const std::vector<Checked>& checked);

std::string Text(const std::vector<Checked>& checked);

}  // namespace nightshift::runtime::cli
