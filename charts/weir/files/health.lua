-- Health of StreamJobs, Savepoints and StreamTenants for Argo CD, by their conditions (kstatus):
-- Stalled: a person is needed. Reconciling, or not seen yet: it is on its way.

local hs = { status = "Progressing", message = "not seen by the controller yet" }
local status = obj.status
if status == nil then
  return hs
end

local found = {}
for _, condition in ipairs(status.conditions or {}) do
  found[condition.type] = condition
end

local function say(health, condition)
  hs.status = health
  hs.message = condition.reason .. ": " .. condition.message
  return hs
end

if obj.metadata.generation ~= nil and status.observedGeneration ~= obj.metadata.generation then
  hs.message = "the last change was not seen by the controller yet"
  return hs
end
if found.Stalled ~= nil and found.Stalled.status == "True" then
  -- Somebody wants it to rest.
  if found.Stalled.reason == "Paused" then
    return say("Suspended", found.Stalled)
  end
  return say("Degraded", found.Stalled)
end
if found.Ready ~= nil and found.Ready.status == "True" then
  return say("Healthy", found.Ready)
end
if status.phase == "Finished" and found.Ready ~= nil then
  return say("Healthy", found.Ready)
end
if (status.phase == "Suspended" or status.phase == "Parked") and found.Ready ~= nil then
  return say("Suspended", found.Ready)
end
if found.Ready ~= nil then
  hs.message = found.Ready.reason .. ": " .. found.Ready.message
end
return hs
