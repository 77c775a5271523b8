// The same in Catch2's v2 and v3, which have their own main() in different places.
#define CATCH_CONFIG_RUNNER
#include "tests/unit/catch.h"

int main(int argc, char** argv) { return Catch::Session().run(argc, argv); }
