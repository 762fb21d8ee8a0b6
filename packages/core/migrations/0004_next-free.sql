ALTER TABLE "contractor"."address_block" ADD COLUMN "next_free" "inet";
--> statement-breakpoint
-- Addresses also go with their Structure, which no program sees: only the database knows of every deletion.
CREATE FUNCTION "contractor"."lower_next_free"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	UPDATE "contractor"."address_block" AS block SET "next_free" = gone."ip"
	FROM (SELECT "address_block", min("ip") AS "ip" FROM deleted GROUP BY "address_block") AS gone
	WHERE block."name" = gone."address_block" AND block."next_free" > gone."ip";
	RETURN NULL;
END
$$;
--> statement-breakpoint
CREATE TRIGGER "address_deleted" AFTER DELETE ON "contractor"."address"
REFERENCING OLD TABLE AS deleted FOR EACH STATEMENT EXECUTE FUNCTION "contractor"."lower_next_free"();
