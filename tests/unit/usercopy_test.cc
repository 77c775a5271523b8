#include "core/base/usercopy.h"

#include <cerrno>
#include <cstring>
#include <vector>

#include <sys/mman.h>
#include <unistd.h>

#include "tests/unit/catch.h"
#include "tests/unit/faults.h"

namespace ipcell {

namespace {

using test::FaultHandler;
using test::GuardedPages;

constexpr u8 kUntouched = 0xee;

std::vector<u8> pattern(std::size_t size) {
  std::vector<u8> bytes(size);
  for (std::size_t n = 0; n < size; ++n) bytes[n] = static_cast<u8>(n * 7 + n / 256 + 1);
  return bytes;
}

// True if exactly the wanted bytes were copied, with nothing around them changed.
bool copies(const std::vector<u8>& source, std::size_t from, std::size_t to, std::size_t size) {
  constexpr std::size_t kMargin = 16;
  std::vector<u8> target(to + size + 2 * kMargin, kUntouched);
  if (ipcell_usercopy(&target[kMargin + to], &source[from], size) != 0) return false;
  std::vector<u8> wanted(target.size(), kUntouched);
  if (size != 0) std::memcpy(&wanted[kMargin + to], &source[from], size);
  return target == wanted;
}

}  // namespace

TEST_CASE("usercopy copies each size at each alignment", "[usercopy]") {
  const std::vector<u8> source = pattern(700);
  for (std::size_t size = 0; size <= 600; ++size) {
    for (std::size_t from = 0; from < 16; ++from) {
      for (std::size_t to = 0; to < 16; ++to) {
        if (copies(source, from, to, size)) continue;
        FAIL("size " << size << ", source at " << from << ", target at " << to);
      }
    }
  }
}

TEST_CASE("usercopy copies large sizes", "[usercopy]") {
  const std::vector<u8> source = pattern((1 << 20) + 64);
  for (std::size_t size : {601, 1023, 4096, 8192, 8224, 65535, 65536, 1 << 20}) {
    CHECK(copies(source, 0, 0, size));
    CHECK(copies(source, 1, 3, size));
    CHECK(copies(source, 16, 7, size));
  }
}

TEST_CASE("usercopy answers EFAULT where a page is missing", "[usercopy]") {
  const FaultHandler handler;
  const GuardedPages pages(4);
  std::vector<u8> own(3 * GuardedPages::page_size(), 1);

  SECTION("none of the bytes is there") {
    CHECK(copy_from_user(own.data(), pages.end(), 1) == -EFAULT);
    CHECK(copy_to_user(pages.end(), own.data(), 1) == -EFAULT);
    CHECK(copy_from_user(own.data(), nullptr, 8) == -EFAULT);
    CHECK(copy_to_user(nullptr, own.data(), 8) == -EFAULT);
  }
  SECTION("no byte is asked for") {
    CHECK(copy_from_user(own.data(), pages.end(), 0) == 0);
    CHECK(copy_to_user(nullptr, own.data(), 0) == 0);
  }
  SECTION("the last byte is missing, at each size") {
    for (std::size_t size = 1; size <= 600; ++size) {
      REQUIRE(copy_from_user(own.data(), pages.end() - size, size) == 0);
      REQUIRE(copy_from_user(own.data(), pages.end() - size + 1, size) == -EFAULT);
      REQUIRE(copy_to_user(pages.end() - size, own.data(), size) == 0);
      REQUIRE(copy_to_user(pages.end() - size + 1, own.data(), size) == -EFAULT);
    }
  }
  SECTION("a large copy runs into the missing page") {
    const std::size_t size = 2 * GuardedPages::page_size() + 5;
    CHECK(copy_from_user(own.data(), pages.end() - size + 1, size) == -EFAULT);
    CHECK(copy_to_user(pages.end() - size + 1, own.data(), size) == -EFAULT);
  }
}

TEST_CASE("usercopy answers EFAULT for a mapping beyond its file's end", "[usercopy]") {
  const FaultHandler handler;
  const int file = memfd_create("usercopy", MFD_CLOEXEC);
  REQUIRE(file >= 0);
  void* beyond =
      mmap(nullptr, GuardedPages::page_size(), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  close(file);
  REQUIRE(beyond != MAP_FAILED);
  u8 byte = 0;
  CHECK(copy_from_user(&byte, beyond, 1) == -EFAULT);
  CHECK(copy_to_user(beyond, &byte, 1) == -EFAULT);
  munmap(beyond, GuardedPages::page_size());
}

TEST_CASE("recover_usercopy knows the routine's own instructions only", "[usercopy]") {
  const auto start = reinterpret_cast<std::uintptr_t>(&ipcell_usercopy);
  CHECK(recover_usercopy(start) > start);
  CHECK(recover_usercopy(start - 1) == 0);
  // The way out is not part of it: a fault there would go round for ever.
  CHECK(recover_usercopy(recover_usercopy(start)) == 0);
  CHECK(recover_usercopy(0) == 0);
  CHECK(recover_usercopy(reinterpret_cast<std::uintptr_t>(&recover_usercopy)) == 0);
}

}  // namespace ipcell
