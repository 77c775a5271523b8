/*
 * /dev/mqueue lists the queues that have a name, as regular files. Itself it is root's, mode 1777,
 * of 40 bytes and 20 more for each queue.
 */
#include "mq_folder.h"
#include <dirent.h>
#include <sys/statfs.h>

static int count(const char* wanted) {
  int found = 0, all = 0;
  DIR* folder = opendir(FOLDER);
  CHECK(folder != NULL);
  for (struct dirent* entry; (entry = readdir(folder)) != NULL; all++) {
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) {
      all--;
      continue;
    }
    CHECK_EQ(entry->d_type, DT_REG);
    found += strcmp(entry->d_name, wanted) == 0;
  }
  closedir(folder);
  if (*wanted) CHECK(found <= 1);
  return *wanted ? found : all;
}

static void check_folder(int queues) {
  struct stat status;
  CHECK_EQ(stat(FOLDER, &status), 0);
  CHECK_EQ(status.st_mode, S_IFDIR | 01777);
  CHECK_EQ(status.st_size, 40 + 20 * queues);
  CHECK_EQ(status.st_nlink, 2);
  CHECK_EQ(count(""), queues);
}

int main(void) {
  need_folder();
  struct statfs filesystem;
  CHECK_EQ(statfs(FOLDER, &filesystem), 0);
  CHECK_EQ(filesystem.f_type, MQUEUE_MAGIC);
  check_folder(0);
  mqd_t first = NEW_QUEUE("/first", 1, 8);
  check_folder(1);
  NEW_QUEUE("/second", 1, 8);
  check_folder(2);
  CHECK_EQ(count("first"), 1);
  CHECK_EQ(count("second"), 1);

  struct stat by_path, by_descriptor;
  CHECK_EQ(stat(FOLDER "/first", &by_path), 0);
  CHECK_EQ(fstat(first, &by_descriptor), 0);
  CHECK_EQ(by_path.st_ino, by_descriptor.st_ino);
  CHECK_EQ(by_path.st_dev, by_descriptor.st_dev);
  CHECK_EQ(by_path.st_size, 80);
  REMOVE_QUEUE("/first");
  CHECK_EQ(count("first"), 0);
  check_folder(1);
  CHECK_ERRNO(stat(FOLDER "/first", &by_path), ENOENT);
  REMOVE_QUEUE("/second");
  check_folder(0);
}
