using OpenGradient.Engine.Benchmarks.LanguageModels;

return await LlmRun.MainAsync(args);
