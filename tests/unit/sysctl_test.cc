// Sysctls: what the core makes of texts that are written. The kernel's answers to thousands more
// stand in tests/conformance and tests/differential.
#include "core/ipc/sysctl.h"

#include <string>

#include "core/syscalls.h"
#include "tests/unit/shm_fixture.h"

namespace ipcell {

using namespace test;

namespace {

class SysctlTest {
 public:
  SysctlTest() : task(cell, superuser()) {}

  long write(const std::string& name, const std::string& text, i64 position = 0) {
    return sys_sysctl_write(task, number_of(name), text.data(), text.size(), position);
  }
  std::string read(const std::string& name) {
    char text[kSysctlText];
    return std::string(text, sys_sysctl_print(task, number_of(name), text));
  }
  static u32 number_of(const std::string& name) {
    const u32 number = find_sysctl(name.data(), name.size());
    REQUIRE(number < kSysctls);
    return number;
  }

  TestCell cell;
  TestTask task;
};

}  // namespace

TEST_CASE("a sysctl is found by its name or its path", "[sysctl]") {
  CHECK(find_sysctl("kernel.sem", 10) == find_sysctl("kernel/sem", 10));
  CHECK(find_sysctl("fs/mqueue/msg_max", 17) < kSysctls);
  CHECK(find_sysctl("kernel.sem", 9) == kSysctls);
  CHECK(find_sysctl("kernel.semm", 11) == kSysctls);
  CHECK(find_sysctl("", 0) == kSysctls);
}

TEST_CASE("a number is parsed as the kernel parses it", "[sysctl]") {
  SysctlTest test;
  const std::string name = "kernel.msgmax";
  CHECK(test.write(name, "9000\n") == 5);
  CHECK(test.read(name) == "9000\n");
  CHECK(test.cell.header().limits.msgmax == 9000);
  CHECK(test.write(name, " \t\n\v 0x20 \n") == 11);
  CHECK(test.read(name) == "32\n");
  CHECK(test.write(name, "010") == 3);
  CHECK(test.read(name) == "8\n");
  // What stands behind the number is left, and the caller is told.
  CHECK(test.write(name, "7 x") == 2);
  CHECK(test.write(name, "-0") == 2);
  for (const char* text : {"-1", "2147483648", "+5", "08", "0x", "5x", "5\v", "-", "- 5", "x", " ",
                           "\n", "000000000000000000001", "18446744073709551616"}) {
    INFO(text);
    CHECK(test.write(name, text) == -EINVAL);
  }
  CHECK(test.write(name, std::string("5\0", 2)) == -EINVAL);
  CHECK(test.read(name) == "0\n");
  CHECK(test.write(name, "00000000000000000007") == 20);
  CHECK(test.read(name) == "7\n");
}

TEST_CASE("what is written behind the start has no effect", "[sysctl]") {
  SysctlTest test;
  CHECK(test.write("kernel.msgmax", "abc", 1) == 3);
  CHECK(test.write("kernel.msgmax", "", 0) == 0);
  CHECK(test.read("kernel.msgmax") == "8192\n");
}

TEST_CASE("no more than a page is looked at", "[sysctl]") {
  SysctlTest test;
  const std::string name = "kernel.msgmax";
  CHECK(test.write(name, "5" + std::string(4994, ' ')) == 4995);
  CHECK(test.read(name) == "5\n");
  CHECK(test.write(name, std::string(4094, ' ') + "67") == 4096);
  CHECK(test.read(name) == "6\n");
  CHECK(test.write(name, std::string(4095, ' ') + "7") == -EINVAL);
}

TEST_CASE("a part of kernel.sem can be written", "[sysctl]") {
  SysctlTest test;
  const std::string name = "kernel.sem";
  CHECK(test.read(name) == "32000\t1024000000\t500\t32000\n");
  CHECK(test.write(name, "1 2") == 3);
  CHECK(test.read(name) == "1\t2\t500\t32000\n");
  CHECK(test.write(name, "3 x 4") == -EINVAL);
  CHECK(test.read(name) == "3\t2\t500\t32000\n");
  CHECK(test.write(name, "-4 -5 -6 32769") == -ERANGE);
  CHECK(test.read(name) == "-4\t-5\t-6\t32000\n");
  CHECK(test.write(name, "1 2 3 4 5") == 8);
  CHECK(test.read(name) == "1\t2\t3\t4\n");
}

TEST_CASE("each sysctl has its range", "[sysctl]") {
  SysctlTest test;
  CHECK(test.write("kernel.msgmni", "32768") == 5);
  CHECK(test.write("kernel.msgmni", "32769") == -EINVAL);
  CHECK(test.write("kernel.shm_rmid_forced", "2") == -EINVAL);
  CHECK(test.write("kernel.shmmax", "18446744073709551615") == 20);
  CHECK(test.write("kernel.shmmax", "-1") == -EINVAL);
  CHECK(test.write("fs.mqueue.queues_max", "-1") == 2);
  CHECK(test.read("fs.mqueue.queues_max") == "-1\n");
  CHECK(test.write("fs.mqueue.msg_max", "0") == -EINVAL);
  CHECK(test.write("fs.mqueue.msgsize_max", "16777217") == -EINVAL);
  CHECK(test.write("kernel.auto_msgmni", "1") == 1);
  CHECK(test.read("kernel.auto_msgmni") == "0\n");
  CHECK(test.write("kernel.msg_next_id", "-1") == -EINVAL);
  CHECK(test.write("kernel.msg_next_id", "77") == 2);
  CHECK(test.read("kernel.msg_next_id") == "77\n");
  CHECK(sys_msgget(test.task, 0, IPC_CREAT) == 77);
  CHECK(test.read("kernel.msg_next_id") == "-1\n");
}

TEST_CASE("the cell's owner and root may write", "[sysctl]") {
  SysctlTest test;
  const auto may_write = [&](const Cred& cred, const char* name) {
    test.task.credentials = cred;
    return sys_sysctl_may_write(test.task, SysctlTest::number_of(name));
  };
  CHECK(may_write(superuser(), "kernel.sem"));
  CHECK(may_write(superuser(), "kernel.sem_next_id"));
  CHECK(may_write(user(0, 0), "kernel.sem"));
  const bool is_root = test.cell.owner() == 0;
  CHECK(may_write(user(test.cell.owner(), 0), "kernel.sem_next_id") == !is_root);
  Cred stranger = user(test.cell.owner() + 1, 1);
  CHECK_FALSE(may_write(stranger, "kernel.sem"));
  CHECK(test.write("kernel.sem", "1") == -EPERM);
  stranger.capabilities = 1ull << kCapCheckpointRestore;
  CHECK(may_write(stranger, "kernel.sem_next_id"));
  CHECK_FALSE(may_write(stranger, "kernel.sem"));
}

// ---------------------------------------------------------------- kernel.shm_rmid_forced

TEST_CASE("shm_rmid_forced removes what has lost its maker", "[sysctl][shm]") {
  ShmTest test;
  const u32 forced = SysctlTest::number_of("kernel.shm_rmid_forced");
  Cred root = superuser();
  test.task.cred = &root;
  int made = -1;
  {
    Worker maker(test.cell);
    made = static_cast<int>(maker.run(
        [](Task& task) { return sys_shmget(task, IPC_PRIVATE, kPage, IPC_CREAT | 0666); }));
    struct shmid_ds info;
    CHECK(sys_sysctl_write(test.task, forced, "1", 1, 0) == 1);
    CHECK(sys_shmctl(test.task, made, IPC_STAT, &info) == 0);
    maker.die();
  }
  struct shmid_ds info;
  CHECK(sys_shmctl(test.task, made, IPC_STAT, &info) == -EINVAL);
  // One's own goes with its last attachment.
  CHECK(test.is_there());
  u8* const address = test.attach(test.id);
  CHECK(test.detach(address) == 0);
  CHECK_FALSE(test.is_there());
  reap_dead_tasks(test.task);
  CHECK(test.violation() == "");
  CHECK(sys_sysctl_write(test.task, forced, "0", 1, 0) == 1);
  const int kept = test.make(1);
  CHECK(test.detach(test.attach(kept)) == 0);
  CHECK(sys_shmctl(test.task, kept, IPC_STAT, &info) == 0);
}

}  // namespace ipcell
