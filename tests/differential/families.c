#include "family.h"

const Family* const kFamilies[] = {
    &kMsgFamily,
    &kMsgLimitsFamily,
    &kSemFamily,
};
const int kFamilyCount = sizeof(kFamilies) / sizeof(kFamilies[0]);
