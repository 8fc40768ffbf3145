// SPDX-License-Identifier: Apache-2.0
#include "io/robot/cell/cell_recorder.h"

#include <algorithm>

namespace nightshift::io::cell {

void CellRecorder::Add(const CellMoment& moment) {
  CellMoment& place = moments_[added_ % kMoments];
  if (added_ >= kMoments) forgotten_ = place.tick;
  place = moment;
  ++added_;
}

bool CellRecorder::After(std::uint64_t tick, std::size_t count_max,
                         const std::function<void(const CellMoment&)>& show) const {
  const std::uint64_t kept = std::min<std::uint64_t>(added_, kMoments);
  std::uint64_t low = added_ - kept, high = added_;  // Of the moments by number, their ticks rise.
  while (low < high) {
    const std::uint64_t middle = low + (high - low) / 2;
    moments_[middle % kMoments].tick > tick ? high = middle : low = middle + 1;
  }
  for (const std::uint64_t end = std::min(added_, low + count_max); low < end; ++low) show(moments_[low % kMoments]);
  return !forgotten_ || *forgotten_ <= tick;
}

}  // namespace nightshift::io::cell
