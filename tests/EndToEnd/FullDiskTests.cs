using System.Diagnostics;
using OpenGradient.Engine.EndToEnd.Tests.Running;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.EndToEnd.Tests;

/// <summary>A data folder on a disk of 24 MiB that is full: refused or answered, but nothing acknowledged is lost.</summary>
public sealed class FullDiskTests
{
    [TinyDiskFact]
    public async Task Disk_FullBeforeTheFirstStart_IsRefusedByName()
    {
        using var disk = new TinyDisk();
        using var installation = await Installation.Create(await Anvil.Shared, Path.Combine(disk.Root, "data"));
        disk.Fill();
        await using (var host = await ServingHost.Launch(installation.Config, []))
            Assert.Matches("(?i)space|disk full|ENOSPC", (await host.Exit()).Expect(Og.Failed).Error);

        disk.Free();
        await using var next = await installation.Serve();
        (await next.Infer("digits", Inputs.Digit(0), "final")).Expect(200);
    }

    [TinyDiskFact]
    public async Task Disk_FullWhileServing_LosesNothingAcknowledgedAndGoesOnWhenThereIsSpace()
    {
        using var disk = new TinyDisk();
        using var installation = await Installation.Create(await Anvil.Shared, Path.Combine(disk.Root, "data"));
        var acknowledged = new List<Receipt>();
        var promised = new List<Receipt>();
        await using (var host = await installation.Serve())
        {
            acknowledged.Add((await host.Infer("digits", Inputs.Digit(0), "final")).Expect(200).Receipt);

            // The last that the outbox is written for it: nothing may be on its way while the file is changed under the host.
            await Eventually.Holds("the anchor was drawn for", async () =>
            {
                var audit = (await host.Get("v1/audit")).Expect(200).Json;
                return audit.GetProperty("draws").GetInt64() == 1 && audit.GetProperty("rows").GetProperty("sampled").GetInt64() == 0;
            });

            // The space that the outbox reserved is taken from it, as by a file system that does not keep such promises.
            await disk.TakeReserve(Path.Combine(installation.Root, "outbox"));
            disk.Fill();
            var refusals = 0;
            for (var call = 0; call < 400 && refusals < 3; call++)
            {
                var durable = await host.Infer("digits", Inputs.Digit(call), "durable");
                if (durable.Code == 200) acknowledged.Add(durable.Receipt);
                else
                {
                    Assert.Equal(503, durable.Code);
                    Assert.NotEmpty(durable.Error);
                    Assert.DoesNotContain(disk.Root, durable.Text);
                    refusals++;
                }
            }

            Assert.True(refusals > 0, "the disk never filled");
            await host.UntilCondition("OutboxFull");
            var fast = await host.Infer("digits", Inputs.Digit(9));
            Assert.True(fast.Code is 200 or 503, fast.Text);
            if (fast.Code == 200) promised.Add(fast.Receipt);
            Assert.DoesNotContain(disk.Root, (await host.Get("v1/overview")).Expect(200).Text);

            disk.Free();
            await Eventually.Holds("the outbox goes on", async () =>
            {
                var answer = await host.Infer("digits", Inputs.Digit(1), "durable");
                if (answer.Code == 200) acknowledged.Add(answer.Receipt);
                return answer.Code == 200;
            });
            await host.UntilCondition("ok");
            foreach (var receipt in promised) (await host.Submit(receipt)).Expect(200);
            foreach (var receipt in acknowledged.Concat(promised)) await host.UntilStage(receipt.Id.ToString(), "final");
            await host.Kill();
        }

        await using var next = await installation.Serve();
        foreach (var receipt in acknowledged) Assert.Equal("final", await next.StageOf(receipt.Id.ToString()));
        await Audit.Run(installation, [.. acknowledged, .. promised]);
    }
}

/// <summary>A test that needs to mount a small disk; visibly skipped where that is not allowed.</summary>
public sealed class TinyDiskFactAttribute : FactAttribute
{
    public TinyDiskFactAttribute() => Skip = ChainFactAttribute.Reason ?? TinyDisk.Reason;
}

/// <summary>A tmpfs of 24 MiB: one segment of the outbox and a little more.</summary>
internal sealed class TinyDisk : IDisposable
{
    private static readonly Lazy<string?> WhyNot = new(() =>
    {
        var probe = Directory.CreateTempSubdirectory("og-e2e-probe-").FullName;
        var mounted = Run("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", probe);
        if (mounted) Run("umount", probe);
        Directory.Delete(probe);
        return mounted ? null : "a tmpfs cannot be mounted here: run as root with the right to mount";
    });

    private readonly string _filler;

    public TinyDisk()
    {
        Root = Directory.CreateTempSubdirectory("og-e2e-disk-").FullName;
        Assert.True(Run("mount", "-t", "tmpfs", "-o", "size=24m,mode=700", "tmpfs", Root), "mount failed");
        _filler = Path.Combine(Root, "filler");
    }

    public static string? Reason => WhyNot.Value;

    public string Root { get; }

    /// <summary>Leaves no free page.</summary>
    public void Fill()
    {
        using var file = File.Create(_filler);
        var block = new byte[64 * 1024];
        try
        {
            while (true)
            {
                file.Write(block);
                file.Flush();
            }
        }
        catch (IOException)
        {
            // Full, as intended.
        }
    }

    public void Free() => File.Delete(_filler);

    public async Task TakeReserve(string folder)
    {
        foreach (var segment in Directory.GetFiles(folder, "*.seg"))
        {
            var bytes = await File.ReadAllBytesAsync(segment);
            var used = (Array.FindLastIndex(bytes, value => value != 0) + 4096) / 4096 * 4096;
            await using var punch = await Child.Start("fallocate", ["--punch-hole", "--offset", $"{used}", "--length", $"{bytes.Length - used}", segment]);
            Assert.Equal(0, await punch.Exit());
        }
    }

    public void Dispose()
    {
        // Lazy: a file that is open for a moment longer does not leave the disk behind.
        Run("umount", "--lazy", Root);
        Directory.Delete(Root);
    }

    private static bool Run(string file, params string[] arguments)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(file, arguments) { RedirectStandardError = true, RedirectStandardOutput = true })!;
            process.WaitForExit();
            return process.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }
}
