-- wrk: asks for offers near a place, another one with each request. Arguments: key, height, width, step.
require("common")

function init(args)
  high, wide, step = tonumber(args[2]), tonumber(args[3]), tonumber(args[4])
  begin_chance()
  post_json(args[1])
end

local body = '{"length_mm":%d,"width_mm":%d,"height_mm":%d,"weight_g":%d,"near":{"lat":%.5f,"lon":%.5f}}'

function request()
  return wrk.format(nil, "/api/v1/offers", nil, string.format(body, math.random(150, 370), math.random(100, 330),
    math.random(15, 65), math.random(200, 4500), 48 + math.random() * high * step, 14 + math.random() * wide * step))
end
