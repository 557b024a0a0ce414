/// <reference types="vite/client" />
// One definition of conditions: the examples that Python and plain SQL run (tests/conditions.json), counted here on the
// cubes of the real index. `make test` writes them first.

import { describe, expect, it } from "vitest";
import type { Where } from "../src/cohort/condition";
import { Cube } from "../src/cube/cube";
import type { CubeMessage } from "../src/kernel/protocol";

interface Case {
  name: string;
  where: Where;
  cube: number;
  series: number;
  instances: number;
  bytes: number;
  collections: number;
}

const files = import.meta.glob<{ cubes: CubeMessage[]; cases: Case[] }>("./.fixtures/cubes.json", {
  eager: true,
  import: "default",
});
const fixture = Object.values(files)[0];

describe("the shared examples", () => {
  it("are there", () => {
    expect(fixture, "no test/.fixtures/cubes.json: `make test` writes it").toBeDefined();
    expect(fixture!.cases.length).toBeGreaterThan(20);
  });

  it.each(fixture?.cases ?? [])("$name", async (c) => {
    const cube = await Cube.decode(fixture!.cubes[c.cube]!);
    expect(cube.outsideOf(c.where)).toEqual(cube.outside);
    const { series, instances, bytes, collections } = cube.count(c.where);
    expect({ series, instances, bytes, collections }).toEqual({
      series: c.series,
      instances: c.instances,
      bytes: c.bytes,
      collections: c.collections,
    });
  });
});
