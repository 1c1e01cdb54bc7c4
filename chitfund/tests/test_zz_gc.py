import gc
from chitfund.tests.test_testing import *
def test_a(live_worker):
    test_a_live_worker_takes_what_is_rung(live_worker)
def test_b():
    gc.collect()
