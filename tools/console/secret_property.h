// Properties of librdkafka whose value is a secret and stands elsewhere than in the config file.
#pragma once

#include <string>

namespace mayfly::tools {

/// A property NAME_file has its value in the file named, one that only its owner can read; NAME_env in the variable
/// named of the environment. Then `name` becomes NAME and `value` what is there, without a line end at its end, and
/// `elsewhere` true. Others stay as they are. Returns an empty string, or what is wrong: a sentence without the secret.
[[nodiscard]] std::string read_secret_property(std::string& name, std::string& value, bool& elsewhere);

}  // namespace mayfly::tools
