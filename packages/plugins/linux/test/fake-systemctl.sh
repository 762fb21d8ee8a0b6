#!/bin/sh
# In the place of systemctl, where no systemd can run: the verbs and options that the real one takes, on units of
# /etc/systemd/system. It knows a unit as that was when it was last told to reload, and refuses what the real one refuses.
mkdir -p /run/units
echo "$*" >>/run/units/log
verb='' unit=''
for one in "$@"; do
  case "$one" in
    --quiet) ;;
    -*) echo "systemctl: unrecognized option '$one'" >&2; exit 1 ;;
    *) if [ -z "$verb" ]; then verb=$one; else unit=$one; fi ;;
  esac
done
file=/etc/systemd/system/$unit.service
known=/run/units/$unit.known
active=/run/units/$unit.active
case "$verb" in
  daemon-reload)
    rm -f /run/units/*.known
    for one in /etc/systemd/system/*.service; do
      if [ -f "$one" ]; then cp "$one" "/run/units/$(basename "$one" .service).known"; fi
    done ;;
  is-active) [ -f "$active" ] || exit 3 ;;
  enable) [ -f "$file" ] || { echo "Failed to enable unit: Unit file $unit.service does not exist." >&2; exit 1; } ;;
  disable) ;;
  stop)
    [ -f "$known" ] || { echo "Failed to stop $unit.service: Unit $unit.service not loaded." >&2; exit 5; }
    rm -f "$active" ;;
  start | restart | reload-or-restart)
    [ -f "$known" ] || { echo "Failed to $verb $unit.service: Unit $unit.service not found." >&2; exit 5; }
    rm -f "$active"
    if ! sh -c "$(sed -n 's/^ExecStart=//p' "$known")"; then
      echo "Job for $unit.service failed because the control process exited with error code." >&2
      exit 1
    fi
    touch "$active" ;;
  *) echo "Unknown command verb $verb." >&2; exit 1 ;;
esac
