-- wrk: asks what anybody may know of a number. Arguments: how many numbers there are.
require("common")

function init(args)
  numbers = tonumber(args[1])
  begin_chance()
end

function request()
  return wrk.format(nil, string.format("/api/v1/track/L%07d", math.random(0, numbers - 1)))
end
