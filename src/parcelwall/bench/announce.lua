-- wrk: announces a parcel with room at a station, a new one with each request. Arguments: key, run, stations, prefix.
require("common")

function init(args)
  run, stations, prefix, counter = args[2], tonumber(args[3]), args[4], 0
  begin_chance()
  post_json(args[1])
end

local body = '{"reference":"%s","length_mm":%d,"width_mm":%d,"height_mm":%d,"weight_g":%d,"recipient":{"name":"Maija %d",'
  .. '"email":"maija.%d@example.org","phone":"+35840%07d","language":"fi"},"destination":{"station_id":"%s-%04d"}}'

function request()
  counter = counter + 1
  local name = run .. thread_number .. "-" .. counter
  wrk.headers["Idempotency-Key"] = "key-" .. name
  local text = string.format(body, name, math.random(150, 370), math.random(100, 330), math.random(15, 65),
    math.random(200, 4500), counter, counter, counter, prefix, math.random(1, stations))
  return wrk.format(nil, "/api/v1/parcels", nil, text)
end

if os.getenv("BENCH_SHOW") then
  function response(status, headers, body)
    if status ~= 201 then io.stderr:write(status .. " " .. body .. "\n") end
  end
end
