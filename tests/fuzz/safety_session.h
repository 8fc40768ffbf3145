// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <span>

#include "tests/safety/tally.h"

/// A session of nightshift-safety as bytes: what its peers send, and how its arm fares. Bytes go the product's own way:
/// SafetyRequest -> runtime::MailOf -> mailbox -> ControlLoop -> Filter -> driver; readings come as wire::JointState.
/// The sockets, the threads and the wall clock are not there.
///
/// The first byte chooses pacing (bit 0) and limits (bit 1). Then come records, each a byte that says what it is
/// (modulo kRecords) and what belongs to it:
///
///   request       length, bytes: a SafetyRequest as it is
///   informed      length, bytes: a SafetyRequest whose epoch, sequence, deadline, latch id and nonce are what is added
///                 to those that a peer would use now; so that small numbers say something
///   ticks         a number of ticks less one
///   silent, deaf  a number of ticks less one in which the driver cannot read, or not send
///   stuck         the arm stays where it is from now on, or follows again
///   hot           its motors are too warm from now on, or no longer
///   unpowered     its drives let go for a tick, and each axis is elsewhere by a signed byte's share of 4 rad
///   reading       length, bytes: a wire::JointState that is read next instead of the arm's own
///
/// A length is two bytes, the lower one first. What is cut short is left out. Nothing happens after kTicksMax ticks.
namespace nightshift::fuzz {

enum class Record { kRequest, kInformed, kTicks, kSilent, kDeaf, kStuck, kHot, kUnpowered, kReading };
inline constexpr int kRecords = 9;
inline constexpr int kTicksMax = 400;

/// What it came to.
struct SessionFacts {
  safety::Tally tally;  // Against the promises, tick by tick.
  int ticks = 0, requests = 0, malformed = 0, refused = 0, stops = 0, clears = 0;
  double travelled_rad = 0;
};

SessionFacts PlaySession(std::span<const std::uint8_t> bytes);

}  // namespace nightshift::fuzz
