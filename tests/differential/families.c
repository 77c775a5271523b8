#include "family.h"

const Family* const kFamilies[] = {
    &kMsgFamily, &kLimitsFamily, &kSemFamily, &kShmFamily, &kMqFamily, &kNsFamily,
};
const int kFamilyCount = sizeof(kFamilies) / sizeof(kFamilies[0]);
