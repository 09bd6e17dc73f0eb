-- A journal that was restored into another cluster goes on above all that it holds: followers read in the order of `tx`.
-- This is added to the cluster's own number, here and in the default of entry.tx; both are raised together, at a start
-- (hub/transactions.py).
ALTER TABLE house ADD tx_base bigint NOT NULL DEFAULT 0 CHECK (tx_base >= 0);
