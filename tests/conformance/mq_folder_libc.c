/*
 * Libc's functions that open, list or resolve inside of themselves reach /dev/mqueue: fopen(),
 * freopen(), scandir(), glob(), realpath(), getcwd(), remove(), statvfs().
 */
#include "mq_folder.h"
#include <dirent.h>
#include <glob.h>
#include <limits.h>
#include <sys/statvfs.h>

static const char line[] = "QSIZE:1          NOTIFY:0     SIGNO:0     NOTIFY_PID:0     \n";

static void check_line(FILE* stream) {
  char got[128];
  CHECK(stream != NULL);
  CHECK(fgets(got, sizeof got, stream) != NULL);
  CHECK_TEXT(got, line);
  CHECK(fgets(got, sizeof got, stream) == NULL);
  CHECK_EQ(feof(stream) != 0, 1);
}

static int is_name(const struct dirent* entry) { return entry->d_name[0] != '.'; }

static void check_scandir(const char* folder) {
  struct dirent** list;
  CHECK_EQ(scandir(folder, &list, is_name, alphasort), 2);
  CHECK_TEXT(list[0]->d_name, "a");
  CHECK_TEXT(list[1]->d_name, "b");
  free(list[0]);
  free(list[1]);
  free(list);
}

static void check_glob(const char* pattern, const char* first, const char* second) {
  glob_t found;
  CHECK_EQ(glob(pattern, 0, NULL, &found), 0);
  CHECK_EQ(found.gl_pathc, 2);
  CHECK_TEXT(found.gl_pathv[0], first);
  CHECK_TEXT(found.gl_pathv[1], second);
  globfree(&found);
}

int main(void) {
  char path[PATH_MAX];
  need_folder();
  mqd_t mq = NEW_QUEUE("/a", 2, 8);
  NEW_QUEUE("/b", 2, 8);
  CHECK_SEND(mq, 0, "x");

  FILE* stream = fopen(FOLDER "/a", "re");
  check_line(stream);
  stream = freopen(FOLDER "/a", "r", stream);
  check_line(stream);
  CHECK_EQ(fclose(stream), 0);
  CHECK_ERRNO(fopen(FOLDER "/none", "r") == NULL ? -1 : 0, ENOENT);
  stream = fopen(FOLDER "/made", "w");
  CHECK(stream != NULL);
  CHECK_EQ(fclose(stream), 0);
  CHECK_EQ(remove(FOLDER "/made"), 0);
  CHECK_ERRNO(remove(FOLDER "/made"), ENOENT);
  CHECK_ERRNO(remove(FOLDER), EBUSY);

  check_scandir(FOLDER);
  check_glob(FOLDER "/[ab]", FOLDER "/a", FOLDER "/b");
  CHECK(realpath(FOLDER "/../mqueue//a", path) == path);
  CHECK_TEXT(path, FOLDER "/a");
  CHECK_ERRNO(realpath(FOLDER "/none", path) == NULL ? -1 : 0, ENOENT);
  struct statvfs filesystem;
  CHECK_EQ(statvfs(FOLDER "/a", &filesystem), 0);
  CHECK_EQ(filesystem.f_namemax, 255);
  CHECK_EQ(filesystem.f_blocks + filesystem.f_bavail + filesystem.f_files, 0);

  CHECK_EQ(chdir(FOLDER), 0);
  CHECK(getcwd(path, sizeof path) == path);
  CHECK_TEXT(path, FOLDER);
  check_scandir(".");
  check_glob("*", "a", "b");
  stream = fopen("a", "r");
  check_line(stream);
  fclose(stream);
  CHECK(realpath("b", path) == path);
  CHECK_TEXT(path, FOLDER "/b");
  REMOVE_QUEUE("/a");
  REMOVE_QUEUE("/b");
}
