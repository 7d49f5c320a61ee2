# A daemon in this folder; whoever reads this in goes on when it serves.
mkdir state
pdpd --policies web --decide "ipc://$PWD/decide" --admin "ipc://$PWD/admin" --state state >pdpd.log 2>&1 &
tries=0
until [ -S admin ] && [ -S decide ]; do
    tries=$((tries + 1))
    [ $tries -lt 1200 ] || { cat pdpd.log; break; }
    sleep 0.05
done
