// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <memory>
#include <string>

namespace nightshift::runtime {

/// Sends a process's exposition to nightshift-metrics about once a second (wall time), for as long as it lives. A
/// missing nightshift-metrics costs nothing but the figures. Has a thread of its own, which never holds up its owner
/// for more than some 100 ms (at the end).
class MetricsSender {
 public:
  struct Source {
    std::string process;                      // Name under which it is reported as up.
    std::function<std::string()> exposition;  // Called on the sender's thread.
  };
  /// @param endpoint io::Endpoints::metrics.
  MetricsSender(std::string endpoint, Source source);
  ~MetricsSender();

 private:
  class Loop;
  std::unique_ptr<Loop> loop_;
};

}  // namespace nightshift::runtime
