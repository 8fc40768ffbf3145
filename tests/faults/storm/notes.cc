// SPDX-License-Identifier: Apache-2.0
#include "tests/faults/storm/notes.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace nightshift::storm {

void NotesUnmapper::operator()(Notes* notes) const { munmap(notes, sizeof(Notes)); }

core::Result<SharedNotes> MapNotes(const std::string& file) {
  const int descriptor = open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  void* memory = MAP_FAILED;
  if (descriptor >= 0 && ftruncate(descriptor, sizeof(Notes)) == 0)
    memory = mmap(nullptr, sizeof(Notes), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
  const int trouble = errno;
  if (descriptor >= 0) close(descriptor);
  if (memory == MAP_FAILED)
    return core::Fail(core::FaultCode::kIoFailed,
                      "cannot map " + file + ": " + std::strerror(trouble) + "; give a folder that may be written");
  return SharedNotes(static_cast<Notes*>(memory));  // Zeros are a valid beginning of every member.
}

}  // namespace nightshift::storm
