-- How many deliveries came again, by the UTC day on which they did. They leave no row of their own.
CREATE TABLE delivery_duplicates (
    provider VARCHAR NOT NULL,
    day DATE NOT NULL,
    number BIGINT NOT NULL,
    PRIMARY KEY (provider, day)
);
