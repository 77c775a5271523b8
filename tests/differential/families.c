#include "family.h"

const Family* const kFamilies[] = {
    &kMsgFamily, &kLimitsFamily, &kSemFamily, &kShmFamily, &kMqFamily,
};
const int kFamilyCount = sizeof(kFamilies) / sizeof(kFamilies[0]);
