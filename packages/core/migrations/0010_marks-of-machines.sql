-- Serial numbers as they are compared: without regard to case and the space around them. Immutable, as an index wants it.
CREATE FUNCTION "contractor"."fold_all"(words text[]) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
	SELECT array(SELECT lower(btrim(word)) FROM unnest(words) WITH ORDINALITY AS given(word, at) ORDER BY at)
$$;
--> statement-breakpoint
DROP INDEX "contractor"."network_interface_neighbour";--> statement-breakpoint
DROP INDEX "contractor"."foundation_serials";--> statement-breakpoint
ALTER TABLE "contractor"."cartographer" ADD COLUMN "called" text;--> statement-breakpoint
ALTER TABLE "contractor"."cartographer" ADD COLUMN "omitted" jsonb DEFAULT '[]'::jsonb NOT NULL;--> statement-breakpoint
ALTER TABLE "contractor"."cartographer" ADD COLUMN "marks" text[] DEFAULT '{}' NOT NULL;--> statement-breakpoint
CREATE INDEX "cartographer_called" ON "contractor"."cartographer" USING btree ("called");--> statement-breakpoint
CREATE INDEX "cartographer_marks" ON "contractor"."cartographer" USING gin ("marks");--> statement-breakpoint
CREATE INDEX "network_interface_neighbour" ON "contractor"."network_interface" USING btree (lower("neighbour"));--> statement-breakpoint
CREATE INDEX "foundation_serials" ON "contractor"."foundation" USING gin (contractor.fold_all("serials"));