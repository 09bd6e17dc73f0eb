-- wrk: a request that does nothing, on the same server.
require("common")

function request()
  return wrk.format(nil, "/health/live")
end
